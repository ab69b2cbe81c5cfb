/** Looks at many hosts side by side, each with one script. */
import type { LimitFunction } from 'p-limit';
import type { Event, Seen } from '../model.ts';
import { mask } from '../sh/secret.ts';
import type { Sh } from '../sh/sh.ts';
import type { Connection } from '../transport/transport.ts';
import { probeHost } from './probe.ts';

/** Fragments by host name, then by id. */
export type Questions = Readonly<Record<string, Readonly<Record<string, Sh>>>>;

export interface ProbeAllOptions {
  readonly connections: ReadonlyMap<string, Connection>;
  /** What is shown as being done. */
  readonly doing: string;
  /** So many hosts at once. */
  readonly limit: LimitFunction;
  readonly resolve: (value: string) => string;
  /** Secret values to slots. */
  readonly conceal: (text: string) => string;
  readonly emit: (event: Event) => void;
}

/** Seconds for one script. */
const timeout = 120;

/** Asks the hosts that `questions` names and to which there is a line. */
export async function probeAll(questions: Questions, options: ProbeAllOptions): Promise<Readonly<Record<string, Seen>>> {
  const { connections, doing, limit, resolve, conceal, emit } = options;
  const asked = [...connections.values()].filter(({ host }) => questions[host.name]);
  const answers = asked.map((connection) =>
    limit(async () => {
      const host = connection.host.name;
      emit({ kind: 'host', host, doing });
      const said = await probeHost(connection, questions[host] ?? {}, { timeout, resolve });
      const seen = said.reached ? said : { ...said, reason: mask(conceal(said.reason)) };
      emit({ kind: 'host', host, doing: seen.reached ? `${doing}: done` : seen.reason });
      return [host, seen] as const;
    }),
  );
  return Object.fromEntries(await Promise.all(answers));
}

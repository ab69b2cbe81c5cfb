/** What a plan comes to, in a form that can be kept and compared: a plan that was read and agreed to is what is done, or nothing is. */
import { createHash } from 'node:crypto';
import type { Plan, Step } from '../model.ts';
import { needsWork } from './batches.ts';

/** One change or handler, in the order in which they will be done. */
export interface PlannedWork {
  readonly host: string;
  /** The step's name; empty for a handler. */
  readonly step: string;
  readonly id: string;
  readonly title: string;
  /** 64 hexadecimal digits over all that it is, with its script, what is there before and after, and which secrets it takes (not their values). */
  readonly sha256: string;
}

export function workOf({ batches }: Plan): readonly PlannedWork[] {
  return batches.flatMap((batch) =>
    batch.hosts.flatMap(({ host, steps, handlers }) => [
      ...steps.filter(needsWork).flatMap(({ step, changes }) =>
        changes.map((change) => {
          const { id, title } = change;
          return { host, step: step.name, id: `${step.id} ${id}`, title, sha256: digest([batch.play, batch.phase, change]) };
        }),
      ),
      ...(steps.some(needsWork) ? handlers : []).map((planned) => {
        const { name } = planned;
        return { host, step: '', id: name, title: `handler ${name}`, sha256: digest([batch.play, batch.phase, planned]) };
      }),
    ]),
  );
}

/**
 * The first step of which nobody can say before the run what it will come to: behind a barrier hosts are looked at and planned again as soon
 * as anything was done before it. Undefined: all that will be done stands in the plan.
 */
export function undecided({ batches }: Plan): Step | undefined {
  let busy = false;
  for (const { phase, hosts } of batches) {
    const steps = hosts.flatMap((host) => host.steps);
    const open = steps.find(({ status, holds }) => busy || status === 'later' || holds === false);
    if (phase > 0 && open) return open.step;
    busy ||= steps.some(needsWork);
  }
  return undefined;
}

/** A sentence for each thing in which the hosts are not any more what the plan was made for; empty when it holds as it was read. */
export function differences(kept: readonly PlannedWork[], now: readonly PlannedWork[]): readonly string[] {
  const key = ({ host, id }: PlannedWork): string => `${host} ${id}`;
  const then = new Map(kept.map((work) => [key(work), work]));
  const current = new Set(now.map(key));
  const said = [
    ...kept.filter((work) => !current.has(key(work))).map((work) => `${work.host}: no longer to be done: ${work.title}`),
    ...now.flatMap((work) => {
      const before = then.get(key(work));
      if (!before) return [`${work.host}: not in the plan: ${work.title}`];
      return before.sha256 === work.sha256 ? [] : [`${work.host}: something else now: ${work.title}`];
    }),
  ];
  const inOrder = kept.every((work, index) => now[index] !== undefined && key(now[index]) === key(work));
  return said.length === 0 && !inOrder ? ['the same changes in another order'] : said;
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

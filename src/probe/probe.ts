/** One script finds out everything about a host: its facts, then every fragment asked for, in one channel. */
import { EXIT, LvsError } from '../errors.ts';
import type { Seen } from '../model.ts';
import { frame, newNonce, unframe } from '../sh/frame.ts';
import { notListed, readerFile, readerInput } from '../sh/reader.ts';
import { renderSh, type Sh } from '../sh/sh.ts';
import { overLines } from '../transport/reopen.ts';
import { runScript } from '../transport/run-script.ts';
import type { Connection } from '../transport/transport.ts';
import { factsProbe, parseFacts } from './facts.ts';
import { parseTraces, tracesProbe } from './traces.ts';

export interface ProbeOptions {
  /** Seconds for the whole script. */
  readonly timeout: number;
  readonly resolve: (value: string) => string;
}

/**
 * Runs `fragments` (by id) on the host, over a new line where the old one has broken: a look may be taken again. An answer that is not
 * whole is `reached: false` with the reason: half an answer must not look like a bare host.
 */
export async function probeHost(connection: Connection, fragments: Readonly<Record<string, Sh>>, options: ProbeOptions): Promise<Seen> {
  const host = connection.host.name;
  const ids = Object.keys(fragments);
  const nonce = newNonce();
  const texts = [factsProbe, tracesProbe, ...Object.values(fragments)].map((fragment) => renderSh(fragment, options.resolve));
  const { reader, user } = connection.host.ssh;
  const script = reader ? readerInput(texts, nonce) : frame(texts, nonce);
  const ask = async () => {
    const ran = await runScript(connection, script, { timeout: options.timeout });
    if (ran.exit === null && !ran.truncated && !ran.timedOut) throw brokenLine(host);
    return ran;
  };
  try {
    const ran = await overLines(connection, connection.host.ssh.timeout, ask);
    const [facts, traces, ...outputs] = unframe(ran.stdout, ran.stderr, nonce, texts.length) ?? [];
    if (!facts || !traces) return unreached(host, reader ? `${incomplete(ran)}; ${listAnew(user)}` : incomplete(ran));
    const refused = reader ? [facts, traces, ...outputs].filter(({ exit }) => exit === notListed).length : 0;
    if (refused > 0)
      return unreached(host, `${user} may not read ${refused} of the ${texts.length} things that are to be looked at; ${listAnew(user)}`);
    return {
      host,
      reached: true,
      facts: parseFacts(facts),
      traces: parseTraces(traces),
      outputs: Object.fromEntries(ids.map((id, index) => [id, outputs[index] ?? never(id)])),
    };
  } catch (error) {
    if (error instanceof LvsError && error.exitCode === EXIT.unreachable) return unreached(host, error.message, error.hint);
    throw error;
  }
}

function listAnew(user: string): string {
  return `"lvsctl sudoers INVENTORY --user ${user}" prints what ${readerFile} on the host must be, anew after each change of the inventory or of lvsctl`;
}

function brokenLine(host: string): LvsError {
  const message = 'the probe was cut short (the line broke)';
  return new LvsError(message, { code: 'ssh.lost', exitCode: EXIT.unreachable, where: { host } });
}

function incomplete(ran: {
  readonly exit: number | null;
  readonly truncated: boolean;
  readonly timedOut: boolean;
  readonly stderr: string;
}): string {
  if (ran.truncated) return 'the host printed more than a probe may';
  const said = ran.stderr.trim().split('\n').at(-1)?.slice(0, 200);
  return `the probe was cut short (${ran.timedOut ? 'it took too long' : `the shell ended with ${ran.exit}`})${said ? `: ${said}` : ''}`;
}

export function unreached(host: string, reason: string, hint?: string): Seen {
  return { host, reached: false, reason, ...(hint && { hint }) };
}

function never(id: string): never {
  throw new Error(`no output for fragment ${id}`);
}

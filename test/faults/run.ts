/**
 * `npm run test:faults`: what goes wrong in the middle of a run, over real sshd and real processes, and on a machine of the lab. A row each with
 * what must hold; exits 1 when it does not.
 *   --once   each row once instead of as often as it says     --only PATTERN   rows that match this regular expression
 *   --without PATTERN   all but those
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { every, labFaults } from './every.ts';
import { withLab } from './lab-target.ts';
import { address, addressBeside, openTarget } from './target.ts';

const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, only: { type: 'string', default: '' }, without: { type: 'string', default: '^$' } },
});

/** A fault whose `play` has got what it needs. */
interface Ready {
  readonly fault: string;
  readonly holds: string;
  readonly tries: number;
  readonly play: (number: number) => Promise<void>;
}

interface Row extends Omit<Ready, 'play'> {
  /** Of the tries in which it did not hold. */
  readonly wrong: readonly string[];
}

const chosen = <T extends { readonly fault: string }>(faults: readonly T[]): readonly T[] =>
  faults.filter(({ fault }) => new RegExp(values.only, 'i').test(fault) && !new RegExp(values.without, 'i').test(fault));

/** Seconds for one try: what hangs is named, and the others are still played. */
const longest = 900;

async function inTime(play: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = pause(longest * 1000, undefined, { signal: over.signal }).then(() => {
    throw new Error(`it was not over after ${longest} s`);
  });
  await Promise.race([play, late]).finally(() => over.abort());
}

async function playAll(faults: readonly Ready[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { play, ...fault } of faults) {
    const tries = values.once ? 1 : fault.tries;
    const wrong: string[] = [];
    for (let number = 0; number < tries; number++) {
      await play(number).catch((error: Error) => wrong.push(`try ${number + 1}: ${error.message}`));
      process.stderr.write(`${fault.fault}: try ${number + 1} of ${tries}${wrong.length > 0 ? `, ${wrong.length} wrong` : ''}\n`);
    }
    rows.push({ ...fault, tries, wrong });
  }
  return rows;
}

/** An inventory names no loopback address, and nothing here may leave this machine: a network in which there are these addresses. */
async function inOwnNetwork(): Promise<readonly Row[]> {
  if (chosen(every).length === 0) return [];
  const network = `ip link set lo up && ip addr add ${address}/32 dev lo && ip addr add ${addressBeside}/32 dev lo && exec "$@"`;
  const words = ['--net', 'sh', '-c', network, 'sh', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [stdout, [status, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (status !== 0) throw new Error(`the part in a network of its own was ended: ${signal ?? `exit ${status}`}`);
  return JSON.parse(stdout) as readonly Row[];
}

async function onSshd(): Promise<readonly Row[]> {
  const played = chosen(every).map(({ play, target: options, ...fault }) => ({
    ...fault,
    play: async (number: number) => {
      const target = await openTarget(options);
      await inTime(play(target, number)).finally(() => target.close());
    },
  }));
  return playAll(played);
}

async function inLab(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const selinux of [false, true]) {
    const faults = chosen(labFaults).filter((fault) => (fault.selinux ?? false) === selinux);
    if (faults.length === 0) continue;
    await withLab(selinux, async (target) => {
      rows.push(
        ...(await playAll(
          faults.map(({ fault, holds, tries, play }) => ({ fault, holds, tries, play: (number: number) => inTime(play(target, number)) })),
        )),
      );
    });
  }
  return rows;
}

function print(rows: readonly Row[]): void {
  const width = Math.max(...rows.map(({ fault }) => fault.length));
  for (const { fault, tries, holds, wrong } of rows) {
    const result = wrong.length === 0 ? holds : `DOES NOT HOLD in ${wrong.length}: ${holds}`;
    process.stdout.write(`${fault.padEnd(width)}  ${String(tries).padStart(5)}  ${result}\n`);
  }
  for (const { fault, wrong } of rows) for (const line of wrong) process.stdout.write(`\n✖ ${fault}\n    ${line}\n`);
}

if (networkInterfaces().lo?.some((each) => each.address === address)) process.stdout.write(JSON.stringify(await onSshd()));
else {
  // Both wait most of the time, and neither ends before it has cleared up.
  const parts = await Promise.allSettled([inOwnNetwork(), inLab()]);
  const broken = parts.find((part) => part.status === 'rejected');
  if (broken) throw broken.reason;
  const rows = parts.flatMap((part) => (part.status === 'fulfilled' ? part.value : []));
  if (rows.length === 0) throw new Error(`no fault matches ${values.only}`);
  print(rows);
  process.exitCode = rows.some(({ wrong }) => wrong.length > 0) ? 1 : 0;
}

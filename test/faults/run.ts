/**
 * `npm run test:faults`: what goes wrong in the middle of a run, over real sshd and real processes. A row each with what must hold; exits 1
 * when it does not.
 *   --once   each row once instead of as often as it says     --only PATTERN   rows that match this regular expression
 */
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { parseArgs } from 'node:util';
import { every } from './every.ts';
import type { Fault } from './fault.ts';
import { address, openTarget } from './target.ts';

// An inventory names no loopback address, and nothing here may leave this machine: a network in which there is that one address.
if (!networkInterfaces().lo?.some((each) => each.address === address)) {
  const network = `ip link set lo up && ip addr add ${address}/32 dev lo && exec "$@"`;
  const { status } = spawnSync(
    'unshare',
    ['--net', 'sh', '-c', network, 'sh', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: 'inherit' },
  );
  process.exit(status ?? 1);
}

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false }, only: { type: 'string', default: '' } } });
const chosen = every.filter(({ fault }) => new RegExp(values.only, 'i').test(fault));
if (chosen.length === 0) throw new Error(`no fault matches ${values.only}`);

interface Row {
  readonly fault: Fault;
  readonly tries: number;
  /** Of the tries in which it did not hold. */
  readonly wrong: readonly string[];
}

async function play(fault: Fault): Promise<Row> {
  const tries = values.once ? 1 : fault.tries;
  const wrong: string[] = [];
  for (let number = 0; number < tries; number++) {
    const target = await openTarget();
    try {
      await fault.play(target, number);
    } catch (error) {
      wrong.push(`try ${number + 1}: ${error instanceof Error ? error.message : error}`);
    } finally {
      await target.close();
    }
    process.stderr.write(`${fault.fault}: try ${number + 1} of ${tries}${wrong.length > 0 ? `, ${wrong.length} wrong` : ''}\n`);
  }
  return { fault, tries, wrong };
}

const rows: Row[] = [];
for (const fault of chosen) rows.push(await play(fault));
const width = Math.max(...rows.map(({ fault }) => fault.fault.length));
for (const { fault, tries, wrong } of rows)
  process.stdout.write(
    `${fault.fault.padEnd(width)}  ${String(tries).padStart(5)}  ${wrong.length === 0 ? fault.holds : `DOES NOT HOLD in ${wrong.length}: ${fault.holds}`}\n`,
  );
for (const { fault, wrong } of rows) for (const line of wrong) process.stdout.write(`\n✖ ${fault.fault}\n    ${line}\n`);
process.exitCode = rows.some(({ wrong }) => wrong.length > 0) ? 1 : 0;

/**
 * `npm run test:damage`: a cluster of real kernels is damaged by hand in every way that a task knows, and mended by a deploy. A table with
 * a row per kind; exits 1 when a plan said more or less than what mends it, or something was not mended.
 *   --only PATTERN   kinds that match this regular expression     --keep   leaves the lab up, and takes it up again     --list
 *   --apart   one kind on a host at a time, which takes longer and says more surely what came of what
 */
import { parseArgs } from 'node:util';
import { reportText } from '../../src/view/text.ts';
import { openCluster } from './cluster.ts';
import { roundsOf } from './damage.ts';
import { every } from './every.ts';
import { playRound, type Row } from './round.ts';
import { tableText } from './table.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
    apart: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});
const chosen = every.filter(({ kind }) => new RegExp(values.only, 'i').test(kind));
const rounds = roundsOf(chosen, values.apart ? 1 : 5);
const began = Date.now();
const elapsed = (): string => `${Math.round((Date.now() - began) / 1000)} s`;
const say = (line: string): void => void process.stderr.write(`${elapsed()}: ${line}\n`);

if (values.list) {
  process.stdout.write(
    `${rounds.map((round) => round.map(({ damage, hosts }) => `${hosts.join('+')}: ${damage.kind}`).join('\n')).join('\n\n')}\n`,
  );
} else {
  process.exitCode = (await playAll()) ? 0 : 1;
}

async function playAll(): Promise<boolean> {
  if (chosen.length === 0) throw new Error(`no kind of damage matches ${values.only}`);
  const cluster = await openCluster(say);
  const rows: Row[] = [];
  try {
    say('deploys the cluster');
    const { report } = await cluster.deploy();
    if (report.exitCode !== 0) throw new Error(`the cluster could not be deployed:\n${reportText(report, { diff: false, verbose: 0 })}`);
    say(`deployed: ${report.summary.changed} changes`);
    for (const [index, round] of rounds.entries()) {
      const played = await playRound(cluster, round);
      rows.push(...played);
      for (const { kind, host, wrong } of played)
        say(`round ${index + 1} of ${rounds.length}: ${host}: ${kind}: ${wrong.join('; ') || 'mended'}`);
      // What could not be mended must not spoil the next round.
      if (played.some(({ wrong }) => wrong.length > 0)) await cluster.deploy();
    }
  } finally {
    await cluster.close(values.keep);
  }
  const failed = rows.filter(({ wrong }) => wrong.length > 0);
  process.stdout.write(
    `${tableText(rows)}\n${rows.length} kinds of damage, ${rows.length - failed.length} as they should be, ${elapsed()}\n`,
  );
  for (const { kind, host, wrong } of failed)
    process.stdout.write(`\n✖ ${kind} (${host})\n${wrong.map((line) => `    ${line}\n`).join('')}`);
  return failed.length === 0;
}

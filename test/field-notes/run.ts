/**
 * `npm run test:field-notes`: every inventory that comes with lvsctl, from bare machines to a cluster that does what it is for, and back to
 * bare machines. A row each; exits 1 when one is not as it should be.
 *   --only NAME…   these examples     --list   only names them
 *   --keep   leaves the lab of the last one up, and its cluster in it where something was wrong
 */
import { parseArgs } from 'node:util';
import { every, unproven } from './every.ts';
import { playExample, type Row } from './stages.ts';
import { tableText } from './table.ts';

const { values, positionals } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    keep: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const examples = await every();
const wanted = [...values.only, ...positionals];
const unknown = wanted.filter((name) => !examples.has(name));
if (unknown.length > 0) throw new Error(`there is no example ${unknown.join(', ')}; there are ${[...examples.keys()].join(', ')}`);
const chosen = [...examples].filter(([name]) => wanted.length === 0 || wanted.includes(name));
/** Differences of one row that are printed; the progress names them all. */
const most = 40;
const began = Date.now();
const say = (line: string): void => void process.stderr.write(`${Math.round((Date.now() - began) / 1000)} s: ${line}\n`);

if (values.list) process.stdout.write(chosen.map(([name, { note, inventory }]) => `${name}  ${note}  ${inventory}\n`).join(''));
else process.exitCode = (await playAll()) ? 0 : 1;

async function playAll(): Promise<boolean> {
  const rows: Row[] = [];
  // One after another: two cores boot no two clusters at once without slowing what is measured.
  for (const [name, example] of chosen) {
    const last = rows.length === chosen.length - 1;
    rows.push(await playExample(name, example, values.keep && last, say));
  }
  const failed = rows.filter(({ wrong }) => wrong.length > 0);
  process.stdout.write(`${tableText(rows)}\n`);
  for (const { name, note, wrong } of failed) {
    const lines = wrong.length > most ? [...wrong.slice(0, most), `and ${wrong.length - most} more, all of them above`] : wrong;
    process.stdout.write(`\n✖ ${name} (${note})\n${lines.map((line) => `    ${line}\n`).join('')}`);
  }
  const left = wanted.length === 0 ? unproven(examples) : [];
  for (const inventory of left) process.stdout.write(`\n✖ ${inventory} has no example in test/field-notes/examples/\n`);
  process.stdout.write(`${rows.length - failed.length} passed, ${failed.length + left.length} failed\n`);
  return failed.length + left.length === 0;
}

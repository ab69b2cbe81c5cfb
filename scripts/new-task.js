/**
 * `npm run new-task NAME`: a task, its test and two golden cases to begin with, which pass all checks as they are.
 * A second argument is another tree than this one.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [name = '', root = fileURLToPath(new URL('..', import.meta.url))] = process.argv.slice(2);

const complain = (message) => {
  console.error(`error: ${message}`);
  process.exit(4);
};

const pattern = (file) => readFileSync(new URL(`new-task/${file}`, import.meta.url), 'utf8').replaceAll('NAME', name);

const recorded = 'nowhere: a pattern; record what a real host answers';
const golden = (stdout, outcome) =>
  `${JSON.stringify({ recorded, params: { path: `/etc/${name}`, value: 'on' }, output: { stdout }, ...outcome }, null, 2)}\n`;

if (!/^[a-z][a-z0-9_]*$/.test(name)) {
  complain(`${JSON.stringify(name)} is no name of a task: small letters, digits and "_", a letter first; npm run new-task NAME`);
}

const change = { id: `value:/etc/${name}`, title: `write /etc/${name}`, was: 'off\n', will: 'on\n' };
const files = {
  [`src/tasks/${name}.ts`]: pattern('task.ts.txt'),
  [`test/tasks/${name}.test.ts`]: pattern('test.ts.txt'),
  [`test/golden/tasks/${name}/as-wanted.json`]: golden(['value on'], { changes: [], settled: `/etc/${name} holds the line` }),
  [`test/golden/tasks/${name}/another-value.json`]: golden(['value off'], { changes: [change] }),
};

const taken = Object.keys(files).find((file) => existsSync(join(root, file)));
if (taken) complain(`${taken} is there already; take another name, or edit it`);

for (const [file, content] of Object.entries(files)) {
  mkdirSync(join(root, file, '..'), { recursive: true });
  writeFileSync(join(root, file), content);
}

console.log(`${Object.keys(files).join('\n')}

Now, in this order:
  src/tasks/${name}.ts               its summary, parameters, probe, parse, plan; src/task.ts says what each is for
  test/golden/tasks/${name}/         what real hosts answered, and what must come of it
  test/tasks/${name}.test.ts         what only running it can show
  test/lab/every-task/playbook.yaml  the word, once: there it is deployed to a real machine
  npm run check`);

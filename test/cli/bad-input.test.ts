/** The command itself on real files: what is wrong is said in one line, the exit code is 4, and nobody has been called. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { playKeys } from '../../src/playbook/shapes.ts';
import { quote } from '../../src/sh/sh.ts';
import { badBooks } from '../playbook/bad-input.ts';

interface Case {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
  readonly exit: number;
  /** All that is on stderr, without the folder. */
  readonly line?: string;
}

/** One of each kind: a start of the command takes its time. */
const throughTheCommand = [
  ...['an undefined variable', 'a task that does not exist', 'a parameter of the wrong type', 'a parameter that does not exist'],
  ...[
    'a loop over text',
    'a handler that nobody defines',
    'an import that imports itself',
    'a fact in a parameter',
    'a wrong key in a play',
  ],
  ...['a tab', 'a bracket that is not closed', 'a condition as Ansible has it'],
];

const good = '- name: p\n  hosts: web1\n  tasks:\n    - group: { name: a }\n      tags: t\n';
const flagged = (what: string, flags: readonly string[], line: string): Case => ({
  what,
  files: { 'book.yaml': good },
  flags,
  exit: 4,
  line,
});

const cases: readonly Case[] = [
  // Without this one, nothing would show that a call is noticed.
  { what: 'nothing', files: { 'book.yaml': good }, flags: ['-e', 'x=1', '--timeout', '2'], exit: 5 },
  ...badBooks
    .filter(({ what }) => throughTheCommand.includes(what))
    .map(({ what, files, line }) => ({ what, files, flags: [], exit: 4, line: line.replace('KEYS', playKeys.join(', ')) })),
  flagged('an unknown tag', ['--tags', 'nothing'], 'no task has the tag "nothing"; there are: t'),
  flagged(
    'an unknown host',
    ['--limit', 'all:!wbe1'],
    'no host or group is called "wbe1"; did you mean "web1"? known: all, directors, backends, clients, dr1, dr2, web1, web2, probe',
  ),
  flagged(
    'hosts of a run that never was',
    ['--limit', '@failed'],
    'no deploy of inventory/dr.yaml is remembered, so nothing is known of @failed; name the hosts, or deploy to all',
  ),
  flagged(
    'a variable without a value',
    ['-e', 'colour'],
    '--extra-vars "colour" cannot be read; write NAME=VALUE, @FILE.yaml or a JSON object',
  ),
  flagged(
    'the same, for scripts',
    ['--json', '-e', 'colour'],
    '--extra-vars "colour" cannot be read; write NAME=VALUE, @FILE.yaml or a JSON object',
  ),
  {
    what: 'a task of its own that does not load',
    files: { 'book.yaml': good, 'tasks/mine.js': 'export default (\n' },
    flags: [],
    exit: 4,
    line: 'tasks/mine.js:2: this file does not load: SyntaxError: Unexpected end of input',
  },
];

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs every case in a network namespace in which each host's address is the machine's own and something listens on port 22. What calls
 * there is noted by the case that runs then; cases run one after another.
 */
const script = `set -eu
ip link set lo up
for address in 10.18.43.10 10.18.43.20 10.18.43.13 10.18.43.14 10.18.43.50; do ip address add $address/32 dev lo; done
node -e '
  const { appendFileSync } = require("node:fs");
  require("node:net").createServer((socket) => { appendFileSync("calls", "called\\n"); socket.destroy(); }).listen(22, () => appendFileSync("ready", ""));
' & listener=$!
until [ -e ready ]; do sleep 0.05; done
for folder in case*; do
  rm -f calls
  exit=0
  (cd "$ROOT" && sh "$HOME/$folder/run") >"$folder/stdout" 2>"$folder/stderr" || exit=$?
  echo "$exit" >"$folder/exit"
  if [ -e calls ]; then echo yes; else echo no; fi >"$folder/called"
done
kill "$listener"
`;

const home = mkdtempSync(join(tmpdir(), 'lvsctl-bad-cli-'));
const folderOf = (number: number): string => join(home, `case${String(number).padStart(3, '0')}`);
const said = (number: number, file: string): string => readFileSync(join(folderOf(number), file), 'utf8');

beforeAll(() => {
  for (const [number, { files, flags }] of cases.entries()) {
    mkdirSync(join(folderOf(number), 'tasks'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folderOf(number), name), text);
    const words = ['node', '--import', 'tsx', 'src/cli/main.ts', 'plan', 'inventory/dr.yaml', '-p', join(folderOf(number), 'book.yaml')];
    writeFileSync(join(folderOf(number), 'run'), `exec ${[...words, ...flags].map(quote).join(' ')}\n`);
  }
  const env = { PATH: process.env.PATH, HOME: home, ROOT: root, NO_COLOR: '1' };
  const ran = spawnSync('unshare', ['--user', '--map-root-user', '--net', 'sh', '-c', script], { cwd: home, env, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`the cases could not be run: ${ran.stderr}`);
}, 300_000);

test.each(cases.map((one, number) => ({ ...one, number })))('$what', ({ number, exit, line, flags }) => {
  expect({ exit: Number(said(number, 'exit')), called: said(number, 'called').trim() }).toEqual({
    exit,
    called: exit === 4 ? 'no' : 'yes',
  });
  if (line === undefined) return;
  expect(said(number, 'stderr').replaceAll(`${folderOf(number)}/`, '')).toBe(`error: ${line}\n`);
  const stdout = said(number, 'stdout');
  if (!flags.includes('--json')) expect(stdout).toBe('');
  else {
    const error = {
      code: 'playbook.extra-vars',
      message: '--extra-vars "colour" cannot be read',
      where: {},
      hint: 'write NAME=VALUE, @FILE.yaml or a JSON object',
    };
    expect(JSON.parse(stdout)).toEqual({ command: 'plan', ok: false, exitCode: 4, errors: [error] });
  }
});

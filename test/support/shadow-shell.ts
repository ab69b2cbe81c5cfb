/**
 * A real dash in which every command that a fragment could name is a stand-in that only writes down its arguments. It runs as nobody
 * where the tests run as root, in a folder of its own, so that even a fragment that breaks out has little to break.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quote } from '../../src/sh/sh.ts';
import { type Fragment, textOf } from './fragments.ts';

/** One command with its arguments, as the shell would have run it. */
export type Call = readonly string[];

export interface ShadowRun {
  readonly calls: readonly { readonly fragment: Fragment; readonly call: Call }[];
  /** True when `canary` ran, or a file of that name came to be. */
  readonly canary: boolean;
  /** False when the shell had to be stopped. */
  readonly ended: boolean;
}

export interface ShadowShell {
  /** A folder that fragments may write to. */
  readonly folder: string;
  /** Runs every fragment twice: with commands that succeed, and with commands that fail. */
  run(fragments: readonly Fragment[]): ShadowRun;
  close(): void;
}

/** What the shell itself must keep; everything else that looks like a word of the fragments is shadowed. */
const kept = new Set(
  `if then else elif fi for in do done while until case esac function time select break continue return exit export readonly unset set shift
   eval exec trap times read cd command umask wait type local true false echo test log`.split(/\s+/),
);

export function openShadowShell(): ShadowShell {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-shadow-'));
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  chmodSync(folder, 0o777);
  chmodSync(programs, 0o755);
  return {
    folder,
    run: (fragments) => runShadowed(folder, programs, fragments),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function runShadowed(folder: string, programs: string, fragments: readonly Fragment[]): ShadowRun {
  const calls = join(folder, 'calls');
  const canary = join(folder, 'canary');
  writeFileSync(calls, '');
  chmodSync(calls, 0o666);
  const words = new Set(
    fragments.flatMap(({ sh }) => sh.parts.flatMap((part) => ('text' in part ? part.text.match(/[a-z_][a-z0-9_-]*/g) : null) ?? [])),
  );
  const shadowed = [...words].filter((word) => !kept.has(word) && word !== 'printf');
  for (const word of shadowed.filter((each) => each.includes('-'))) addProgram(programs, word, calls);
  const script = [
    `exec 9>>${quote(calls)}; PATH=${quote(programs)}; cd ${quote(folder)} || exit 1`,
    `log() { command printf '%s\\0' "$#" "$@" >&9; }`,
    `printf() { log printf "$@"; command printf "$@"; }`,
    `canary() { : >${quote(canary)}; }`,
    ...shadowed.filter((word) => !word.includes('-')).map((word) => `${word}() { log ${word} "$@"; return "$shadow"; }`),
    ...fragments.flatMap((fragment, index) =>
      [0, 1].map((status) => `log @ ${index}; ( export shadow=${status}; eval ${quote(textOf(fragment))} ) </dev/null >/dev/null 2>&1`),
    ),
    'log @ end\n',
  ].join('\n');
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  spawnSync('dash', [], { input: script, timeout: 20_000, killSignal: 'SIGKILL', env: {}, cwd: folder, ...nobody });
  const logged = readCalls(readFileSync(calls, 'utf8'), fragments);
  const run = { calls: logged.calls, ended: logged.ended, canary: existsSync(canary) };
  rmSync(canary, { recursive: true, force: true });
  return run;
}

function addProgram(folder: string, word: string, calls: string): void {
  const path = join(folder, word);
  if (existsSync(path)) return;
  writeFileSync(path, `#!/bin/dash\nprintf '%s\\0' "$(($# + 1))" ${word} "$@" >>${quote(calls)}\nexit "$shadow"\n`);
  chmodSync(path, 0o755);
}

function readCalls(log: string, fragments: readonly Fragment[]): Pick<ShadowRun, 'calls' | 'ended'> {
  const words = log.split('\0');
  const calls: { readonly fragment: Fragment; readonly call: Call }[] = [];
  let fragment: Fragment | undefined;
  let ended = false;
  for (let index = 0; index < words.length - 1; ) {
    const count = Number(words[index]);
    const call = words.slice(index + 1, index + 1 + count);
    index += 1 + count;
    if (call[0] === '@') {
      ended = call[1] === 'end';
      fragment = fragments[Number(call[1])];
    } else if (fragment) calls.push({ fragment, call });
  }
  return { calls, ended };
}

/**
 * A program of ours that systemd keeps running. It says in its state file what it is made of (`pid PID DIGEST …`), so that one sees
 * whether what runs is what lies on disk.
 */
import { createHash } from 'node:crypto';
import { type Change, lines, type PlanContext, type Sh, sh } from '../../../task.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from '../files/write-file.ts';
import { bringUp, needSystemd, parseUnit, type SeenUnit, unitProbe } from './unit.ts';

export interface OwnProgram {
  /** `ipvs-check`: of the program, its unit `lvsctl-NAME.service` and its state file. */
  readonly name: string;
  readonly description: string;
  /** Wants the network to be configured before it starts. */
  readonly online?: boolean;
  readonly after: readonly string[];
  readonly before?: readonly string[];
  /** A restart of that unit restarts this one. */
  readonly partOf?: string;
  /** Reads its values anew without an end; otherwise it is started again. */
  readonly reloads?: boolean;
  /** The program with the argument `stop` takes back what it did. */
  readonly undoes?: boolean;
  /** Tools without which it is not started. */
  readonly tools: readonly string[];
}

export interface SeenProgram {
  readonly program: SeenFile;
  readonly file: SeenFile;
  readonly unit: SeenUnit;
  /** Digest of the running one; empty where none runs. */
  readonly running: string;
}

export const programPath = (name: string): string => `/usr/local/lib/lvsctl/${name}`;
export const statePath = (name: string): string => `/run/lvsctl/${name}.state`;
export const unitOfProgram = (name: string): string => `lvsctl-${name}.service`;
const unitPath = (name: string): string => `/etc/systemd/system/${unitOfProgram(name)}`;

export function programTouches({ name }: OwnProgram): readonly string[] {
  return [`file:${programPath(name)}`, `file:${unitPath(name)}`, `service:${unitOfProgram(name)}`];
}

/** The text with its values before it, each line one word or an assignment; `digest` is of all of it. */
export function programText({ name }: OwnProgram, values: string, program: string): { readonly text: string; readonly digest: string } {
  const body = `state_file=${statePath(name)}\n${values}\n${program}`;
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 16);
  return { text: `#!/bin/bash\n# Written by lvsctl.\ndigest=${digest}\n${body}`, digest };
}

/** Says which process it is, as a command that fails when none runs; leaves `$pid` and `$digest`. */
export function isRunning(name: string): Sh {
  return sh`{ read -r _ pid digest _; } 2>/dev/null <${statePath(name)} && [ -n "$digest" ] && tr '\\0' '\\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF ${programPath(name)}`;
}

/** Goes first in a probe; `parseProgram` hands back what comes after it as `rest`. */
export function programProbe({ name }: OwnProgram): Sh {
  return lines(
    filesProbe([programPath(name), unitPath(name)]),
    unitProbe(unitOfProgram(name)),
    sh`! { ${isRunning(name)}; } || printf 'running %s\n' "$digest"`,
  );
}

export function parseProgram(stdout: string): SeenProgram & { readonly rest: string } {
  const { files, rest } = parseFiles({ stdout }, ['', '']);
  const [program, file] = files as readonly [SeenFile, SeenFile];
  return { program, file, unit: parseUnit({ stdout: rest }), running: /^running ([0-9a-f]{16})$/m.exec(rest)?.[1] ?? '', rest };
}

/** Program, unit, start at boot, start now: what of these is not as wanted. */
export function programChanges(
  own: OwnProgram,
  seen: SeenProgram,
  wanted: { readonly text: string; readonly digest: string },
  context: PlanContext,
): readonly Change[] {
  needSystemd(context.facts, unitOfProgram(own.name));
  const validate = (staged: Sh) => sh`bash -n ${staged}`;
  const common = { mode: '0700', makeParent: true, validate, context };
  const written = fileChange({ seen: seen.program, path: programPath(own.name), content: wanted.text, ...common });
  const unit = fileChange({ seen: seen.file, path: unitPath(own.name), content: unitText(own), context });
  const reread = unit.map((change) => ({ ...change, run: sh`${change.run} && systemctl daemon-reload` }));
  return [...written, ...reread, ...enable(own, seen), ...start(own, seen, wanted.digest)];
}

function unitText({ name, description, online, after, before = [], partOf, reloads, undoes }: OwnProgram): string {
  const optional = (key: string, value: string) => (value === '' ? '' : `${key}=${value}\n`);
  return `# Written by lvsctl.
[Unit]
Description=${description}
${online ? 'Wants=network-online.target\n' : ''}After=${[...after, ...(online ? ['network-online.target'] : [])].join(' ')}
${optional('Before', before.join(' '))}${optional('PartOf', partOf ?? '')}
[Service]
ExecStart=/bin/bash ${programPath(name)}
${reloads ? 'ExecReload=/bin/kill -s HUP $MAINPID\n' : ''}${undoes ? `ExecStop=/bin/bash ${programPath(name)} stop\n` : ''}ExecStopPost=-/bin/rm -f ${statePath(name)}
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
`;
}

function enable({ name, description }: OwnProgram, { unit }: SeenProgram): readonly Change[] {
  if (unit.file === 'enabled') return [];
  const service = unitOfProgram(name);
  const title = `start with the host: ${description} (enable ${service})`;
  return [{ id: `persisted:${service}`, title, was: 'disabled\n', will: 'enabled\n', run: sh`systemctl -q enable -- ${service}` }];
}

/** Waits until it says what it is made of: then it has done its first work. */
function start({ name, tools, reloads }: OwnProgram, { unit, running }: SeenProgram, digest: string): readonly Change[] {
  if (unit.active === 'active' && running === digest) return [];
  const service = unitOfProgram(name);
  const there = sh`service=${service}
for tool in bash ${tools}; do
  command -v "$tool" >/dev/null || { printf '%s\n' "there is no $tool, and $service needs it" >&2; exit 1; }
done`;
  const wait = sh`tries=0
until grep -Eqs ${`^pid [0-9]+ ${digest}( |$)`} ${statePath(name)}; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { printf '%s\n' ${`${service} does not say that it works: journalctl -u ${service}`} >&2; exit 1; }
  sleep 0.2
done`;
  const again = reloads && unit.active === 'active' && running !== '';
  return [
    {
      id: `live:${service}`,
      title: running === '' ? `start ${service}` : `${again ? 'reload' : 'restart'} ${service}, so that it does what is wanted now`,
      was: running === '' || running === digest ? 'does not run\n' : `runs ${running}\n`,
      will: `runs ${digest}\n`,
      run: lines(there, bringUp(again ? 'reload' : 'restart', service), wait),
    },
  ];
}

/** Open-file limits of systemd units: what systemd will give them, and what their running processes have. */
import { type Sh, sh } from '../../../task.ts';

export interface ProcessLimits {
  readonly pid: string;
  readonly soft: number;
  readonly hard: number;
}

export interface UnitLimits {
  readonly name: string;
  /** False: systemd knows no such unit (yet), or there is no systemd. */
  readonly loaded: boolean;
  /** Files on disk are newer than what systemd has read. */
  readonly needsReload: boolean;
  /** What the next start gives. NaN where unknown. */
  readonly soft: number;
  readonly hard: number;
  /** In the order in which systemd reads them. */
  readonly dropIns: readonly string[];
  /** `0` when it does not run. */
  readonly mainPid: string;
  readonly processes: readonly ProcessLimits[];
}

/** Where the processes of control group `$g` are listed: the unified hierarchy, or systemd's own of the old kind. */
const eachProcess = (action: Sh): Sh => sh`for f in "/sys/fs/cgroup$g/cgroup.procs" "/sys/fs/cgroup/systemd$g/cgroup.procs"; do
    [ -r "$f" ] || continue
    while read -r pid; do
      ${action}
    done <"$f"
    break
  done`;

const readLimits = sh`soft='' hard=''
      while read -r a b c d e rest; do
        [ "$a $b $c" != 'Max open files' ] || { soft=$d; hard=$e; }
      done 2>/dev/null <"/proc/$pid/limits" || continue`;

/** One systemctl for all units; the rest is the shell's own. Nothing without systemd. */
export function unitLimitsProbe(units: readonly string[]): Sh {
  if (units.length === 0) return { parts: [] };
  const properties = ['Id', 'LoadState', 'NeedDaemonReload', 'DropInPaths', 'MainPID', 'LimitNOFILE', 'LimitNOFILESoft', 'ControlGroup'];
  return sh`[ ! -d /run/systemd/system ] || systemctl show ${properties.flatMap((name) => ['-p', name])} -- ${units} | while IFS= read -r line; do
  printf '%s\n' "$line"
  case $line in ControlGroup=/?*) ;; *) continue ;; esac
  g=\${line#*=}
  ${eachProcess(sh`${readLimits}
      printf 'Process=%s %s %s\n' "$pid" "$soft" "$hard"`)}
done`;
}

/** Survives any output; `text` may hold other lines before. */
export function parseUnitLimits(text: string, units: readonly string[]): readonly UnitLimits[] {
  const start = text.search(/^(Id|LoadState|[A-Z]\w+)=/m);
  const blocks = start < 0 ? [] : text.slice(start).split('\n\n');
  return units.map((name, index) => parseUnit(name, blocks[index]?.split('\n') ?? []));
}

function parseUnit(name: string, block: readonly string[]): UnitLimits {
  const all = (key: string) => block.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  const first = (key: string) => all(key)[0] ?? '';
  return {
    name,
    loaded: first('LoadState') === 'loaded',
    needsReload: first('NeedDaemonReload') === 'yes',
    soft: limit(first('LimitNOFILESoft')),
    hard: limit(first('LimitNOFILE')),
    dropIns: first('DropInPaths').split(' ').filter(Boolean),
    mainPid: first('MainPID'),
    processes: all('Process').flatMap((line) => {
      const [pid = '', soft = '', hard = ''] = line.split(' ');
      return Number.isNaN(limit(soft)) || Number.isNaN(limit(hard)) ? [] : [{ pid, soft: limit(soft), hard: limit(hard) }];
    }),
  };
}

function limit(word: string): number {
  if (word === 'unlimited' || word === 'infinity') return Number.POSITIVE_INFINITY;
  return /^\d+$/.test(word) ? Number(word) : Number.NaN;
}

/**
 * Gives every running process of the unit the limit: the main process exactly, others only where they have less. A process that has
 * ended meanwhile is no failure.
 */
export function raiseLimits(unit: string, soft: number, hard: number): Sh {
  const less = (word: Sh, wanted: number) => sh`{ [ ${word} != unlimited ] && [ ${word} -lt ${wanted} ]; }`;
  return sh`g=$(systemctl show -p ControlGroup -- ${unit}) main=$(systemctl show -p MainPID -- ${unit})
g=\${g#*=} main=\${main#*=} failed=''
if [ -n "$g" ]; then
  ${eachProcess(sh`${readLimits}
      [ "$pid" = "$main" ] || ${less(sh`"$soft"`, soft)} || ${less(sh`"$hard"`, hard)} || continue
      prlimit --pid "$pid" ${`--nofile=${soft}:${hard}`} || [ ! -d "/proc/$pid" ] || failed=1`)}
fi
[ -z "$failed" ]`;
}

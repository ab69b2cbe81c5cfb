/** A report as people read it: only what changed, would change or failed; then the checks; then one closing line. */
import { stripVTControlCharacters, styleText } from 'node:util';
import wrapAnsi from 'wrap-ansi';
import { EXIT } from '../errors.ts';
import type { ChangeReport, CheckResult, HostReport, Report, StepReport } from '../model.ts';
import { colourDiff } from './diff.ts';
import { printable } from './printable.ts';

export interface TextOptions {
  readonly diff: boolean;
  /** 0: what changed or failed; 1: also what needed nothing, and why; 2: also each change's script; 3: also all times and channels. */
  readonly verbose: number;
}

type Mark = StepReport['status'] | 'unreachable';

/** Made when asked for, so that a --no-color read after this file was loaded still counts. */
function markOf(status: Mark): string {
  if (status === 'ok') return styleText('green', '✔');
  if (status === 'changed') return styleText('yellow', '✔');
  if (status === 'rescued') return styleText('yellow', '✖');
  if (status === 'later') return styleText('yellow', '…');
  if (status === 'change') return styleText('yellow', '~');
  if (status === 'failed' || status === 'unreachable') return styleText('red', '✖');
  return styleText('dim', status === 'skipped' ? '-' : '○');
}

/** The whole text, ending with the closing line; no trailing newline. */
export function reportText(report: Report, options: TextOptions): string {
  const hosts = report.hosts.flatMap((host) => hostLines(host, options));
  const notes = report.notes.map((note) => `${markOf('failed')} ${printable(note)}`);
  return [...hosts, ...orderLines(report), ...checkLines(report.checks, options), ...notes, closingLine(report)].join('\n');
}

/** Before anything is done: which hosts come when. */
function orderLines({ batches, exitCode }: Report): readonly string[] {
  if (exitCode !== EXIT.changesPending || batches.length < 2) return [];
  const turns = batches.map(({ hosts }) => hosts.join(' and '));
  return hang(`${count(batches.length, 'batch', 'batches')}: `, turns.join(', then '));
}

/** `4 hosts, 9 channels, 0.41 s, 0 changes`, and what went wrong, if anything did. */
export function closingLine({ summary, checks, command, touched, exitCode }: Report): string {
  const found = (status: CheckResult['status']): number => checks.filter((check) => check.status === status).length;
  const open = command === 'plan' || (!touched && summary.changed > 0);
  const made = open ? `${count(summary.changed, 'change')} to make` : count(summary.changed, 'change');
  const parts = [count(summary.hosts, 'host'), count(summary.channels, 'channel'), `${seconds(summary.seconds)} s`, made];
  if (summary.failed) parts.push(`${summary.failed} failed`);
  if (summary.rescued) parts.push(`${summary.rescued} rescued`);
  if (summary.unreachable) parts.push(`${summary.unreachable} unreachable`);
  if (checks.length) parts.push(found('fail') ? `${count(found('fail'), 'check')} failed` : `${count(found('pass'), 'check')} passed`);
  if (found('not-run')) parts.push(`${found('not-run')} not run`);
  const line = styleText('bold', parts.join(', '));
  return exitCode === 0 || exitCode === 2 ? line : styleText('red', line);
}

function hostLines(host: HostReport, options: TextOptions): readonly string[] {
  const steps = host.steps.filter(
    (step) =>
      options.verbose > 0 || !['ok', 'skipped', 'standby'].includes(step.status) || step.pendingReboot.length + step.stays.length > 0,
  );
  if (host.status !== 'unreachable' && steps.length === 0) return [];
  const channels = options.verbose > 2 ? ` (${count(host.channels, 'channel')})` : '';
  const head = `${styleText('bold', host.name)} ${styleText('dim', `${host.role} ${host.address}${channels}`)}`;
  if (host.status === 'unreachable') return [head, `  ${markOf('unreachable')} unreachable: ${printable(host.why)}`];
  return [head, ...steps.flatMap((step) => stepLines(step, options))];
}

function stepLines(step: StepReport, options: TextOptions): readonly string[] {
  const why =
    step.why && step.status !== 'skipped'
      ? styleText('dim', `: ${printable(step.why)}`)
      : step.why
        ? styleText('dim', ` (${printable(step.why)})`)
        : '';
  return [
    `  ${markOf(step.status)} ${printable(step.name)}${why}`,
    ...step.changes.flatMap((change) => changeLines(change, options)),
    ...step.stays.map((text) => `      ${styleText('yellow', 'stays')}: ${printable(text)}`),
    ...step.pendingReboot.map((text) => `      ${styleText('yellow', 'after a reboot')}: ${printable(text)}`),
  ];
}

function changeLines(change: ChangeReport, options: TextOptions): readonly string[] {
  const mark = {
    planned: '',
    done: '',
    already: '(already so) ',
    failed: `${markOf('failed')} `,
    rescued: '(failed, rescued) ',
    'not-run': '(not run) ',
  }[change.status];
  const timed = change.seconds >= 1 || (options.verbose > 2 && change.seconds > 0);
  const took = timed ? styleText('dim', ` (${seconds(change.seconds)} s)`) : '';
  const failed =
    change.status === 'failed' || change.status === 'rescued'
      ? printable(change.output)
          .split('\n')
          .map((line) => `        ${styleText('red', line)}`)
      : [];
  const diff = options.diff ? change.diff.map((line) => `        ${colourDiff(line)}`) : [];
  return [...hang(`      ${mark}`, `${printable(change.title)}${took}`), ...diff, ...scriptLines(change, options), ...failed];
}

/** Behind a bar, so that it is not taken for what was said or for a diff. */
function scriptLines({ script }: ChangeReport, options: TextOptions): readonly string[] {
  if (options.verbose < 2) return [];
  return printable(script)
    .split('\n')
    .map((line) => `        ${styleText('dim', `│ ${line}`)}`);
}

/** A line per check; under it what failed or could not be looked at, and with -v what was found where it passed. */
function checkLines(checks: readonly CheckResult[], options: TextOptions): readonly string[] {
  const names = [...new Set(checks.map(({ name }) => name))];
  return names.flatMap((name) => {
    const results = checks.filter((check) => check.name === name);
    const worst = (['fail', 'pass', 'not-run'] as const).find((status) => results.some((result) => result.status === status)) ?? 'not-run';
    const mark = markOf(({ fail: 'failed', pass: 'ok', 'not-run': 'not-run' } as const)[worst]);
    const shown = results.filter(({ status }) => options.verbose > 0 || status !== 'pass');
    return [`${mark} ${worst === 'fail' ? styleText('bold', printable(name)) : printable(name)}`, ...shown.flatMap(findingLines)];
  });
}

function findingLines({ status, host, found, expected, fix }: CheckResult): readonly string[] {
  if (status === 'pass') return hang('    ', `${host}: ${printable(found)}`).map((line) => styleText('dim', line));
  if (status === 'not-run') return hang(`    ${markOf('not-run')} `, `${host}: not run: ${printable(found)}`);
  return [
    ...hang(`    ${markOf('failed')} `, `${host}: ${printable(found)}`),
    ...hang('      expected: ', printable(expected)),
    ...(fix ? hang('      fix:      ', printable(fix)) : []),
  ];
}

/** Text behind a label, wrapped to the terminal with the label's indentation; one line where there is no terminal. */
function hang(label: string, text: string): readonly string[] {
  const indent = stripVTControlCharacters(label).length;
  const width = (process.stdout.columns ?? Number.POSITIVE_INFINITY) - indent;
  const [first = '', ...rest] = (Number.isFinite(width) ? wrapAnsi(text, Math.max(20, width)) : text).split('\n');
  return [`${label}${first}`, ...rest.map((line) => `${' '.repeat(indent)}${line}`)];
}

function count(number: number, noun: string, several = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : several}`;
}

function seconds(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

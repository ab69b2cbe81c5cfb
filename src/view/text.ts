/** A report as people read it: only what changed, would change or failed; then the checks; then one closing line. */
import { styleText } from 'node:util';
import type { ChangeReport, CheckResult, HostReport, Report, StepReport } from '../model.ts';
import { colourDiff } from './diff.ts';
import { printable } from './printable.ts';

export interface TextOptions {
  readonly diff: boolean;
  /** 0: what matters; 1 and more: also what needed nothing, and why. */
  readonly verbose: number;
}

const marks = {
  ok: styleText('green', '✔'),
  changed: styleText('yellow', '✔'),
  change: styleText('yellow', '~'),
  failed: styleText('red', '✖'),
  'not-run': styleText('dim', '○'),
  skipped: styleText('dim', '-'),
  unreachable: styleText('red', '✖'),
} as const;

/** The whole text, ending with the closing line; no trailing newline. */
export function reportText(report: Report, options: TextOptions): string {
  const hosts = report.hosts.flatMap((host) => hostLines(host, options));
  const notes = report.notes.map((note) => `${marks.failed} ${printable(note)}`);
  return [...hosts, ...checkLines(report.checks, options), ...notes, closingLine(report)].join('\n');
}

/** `4 hosts, 9 channels, 0.41 s, 0 changes`, and what went wrong, if anything did. */
export function closingLine({ summary, checks, command, exitCode }: Report): string {
  const failing = checks.filter(({ status }) => status === 'fail').length;
  const made = exitCode === 2 || command === 'plan' ? `${count(summary.changed, 'change')} to make` : count(summary.changed, 'change');
  const parts = [count(summary.hosts, 'host'), count(summary.channels, 'channel'), `${seconds(summary.seconds)} s`, made];
  if (summary.failed) parts.push(`${summary.failed} failed`);
  if (summary.unreachable) parts.push(`${summary.unreachable} unreachable`);
  if (checks.length) parts.push(failing ? `${count(failing, 'check')} failed` : `${count(checks.length, 'check')} passed`);
  return styleText(exitCode === 0 || exitCode === 2 ? 'bold' : ['bold', 'red'], parts.join(', '));
}

function hostLines(host: HostReport, options: TextOptions): readonly string[] {
  const steps = host.steps.filter(
    (step) => options.verbose > 0 || !['ok', 'skipped'].includes(step.status) || step.pendingReboot.length > 0,
  );
  if (host.status !== 'unreachable' && steps.length === 0) return [];
  const head = `${styleText('bold', host.name)} ${styleText('dim', `${host.role} ${host.address}`)}`;
  if (host.status === 'unreachable') return [head, `  ${marks.unreachable} unreachable: ${printable(host.why)}`];
  return [head, ...steps.flatMap((step) => stepLines(step, options))];
}

function stepLines(step: StepReport, options: TextOptions): readonly string[] {
  const why =
    step.why && step.status !== 'skipped'
      ? styleText('dim', `: ${printable(step.why)}`)
      : step.why
        ? styleText('dim', ` (${step.why})`)
        : '';
  return [
    `  ${marks[step.status]} ${step.name}${why}`,
    ...step.changes.flatMap((change) => changeLines(change, options)),
    ...step.pendingReboot.map((text) => `      ${styleText('yellow', 'after a reboot')}: ${text}`),
  ];
}

function changeLines(change: ChangeReport, options: TextOptions): readonly string[] {
  const mark = { planned: '~', done: '', already: '(already so) ', failed: `${marks.failed} `, 'not-run': '(not run) ' }[change.status];
  const took = change.seconds >= 1 ? styleText('dim', ` (${seconds(change.seconds)} s)`) : '';
  const failed =
    change.status === 'failed'
      ? printable(change.output)
          .split('\n')
          .map((line) => `        ${styleText('red', line)}`)
      : [];
  const diff = options.diff ? change.diff.map((line) => `        ${colourDiff(line)}`) : [];
  return [`      ${mark === '~' ? '' : mark}${printable(change.title)}${took}`, ...diff, ...failed];
}

function checkLines(checks: readonly CheckResult[], options: TextOptions): readonly string[] {
  const shown = checks.filter(({ status }) => options.verbose > 0 || status !== 'pass');
  return shown.flatMap((check) => {
    const found = printable(check.found);
    if (check.status === 'pass') return [`${marks.ok} ${check.name} ${styleText('dim', `${check.host}: ${found}`)}`];
    if (check.status === 'not-run') return [`${marks['not-run']} ${check.name} ${styleText('dim', `${check.host}: not run: ${found}`)}`];
    return [
      `${marks.failed} ${styleText('bold', check.name)} ${check.host}`,
      `    found:    ${found}`,
      `    expected: ${printable(check.expected)}`,
      ...(check.fix ? [`    fix:      ${printable(check.fix)}`] : []),
    ];
  });
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function seconds(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

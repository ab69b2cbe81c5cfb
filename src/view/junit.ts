/** A report as JUnit XML, which CI systems show: a case for each step of each host and for each finding of a check. */
import type { CheckResult, HostReport, Report, StepReport } from '../model.ts';

interface Case {
  /** Where it belongs: `web.hosts.web1`, `web.checks.vip-placement`. */
  readonly group: string;
  readonly name: string;
  readonly seconds: number;
  readonly failed?: string;
  readonly skipped?: string;
}

/** The whole file. What is only planned counts as skipped; a host that is not reached, as a failure. */
export function junitXml(report: Report): string {
  const cases = [...report.hosts.flatMap(hostCases), ...report.checks.map(checkCase), ...report.notes.map(noteCase)];
  const count = (key: 'failed' | 'skipped'): number => cases.filter((each) => each[key] !== undefined).length;
  const totals = `tests="${cases.length}" failures="${count('failed')}" skipped="${count('skipped')}" time="${report.summary.seconds}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="${escaped(`lvsctl ${report.command}`)}" ${totals}>
${cases.map(caseXml).join('\n')}
  </testsuite>
</testsuites>
`;
}

function hostCases({ name, status, why, steps }: HostReport): readonly Case[] {
  const group = `hosts.${name}`;
  if (status === 'unreachable') return [{ group, name: 'reachable', seconds: 0, failed: why }];
  return steps.map((step) => stepCase(group, step));
}

function stepCase(group: string, { name, status, why, changes }: StepReport): Case {
  const seconds = changes.reduce((sum, change) => sum + change.seconds, 0);
  const failing = changes.filter((change) => change.status === 'failed').map(({ title, output }) => `${title}: ${output}`);
  const made = { group, name, seconds: Math.round(seconds * 100) / 100 };
  if (status === 'failed') return { ...made, failed: [why, ...failing].filter((line) => line !== '').join('\n') };
  return ['ok', 'changed', 'rescued'].includes(status) ? made : { ...made, skipped: why || status };
}

function checkCase({ id, name, host, status, found, expected, fix }: CheckResult): Case {
  const made = { group: `checks.${id}`, name: `${name} (${host})`, seconds: 0 };
  if (status === 'pass') return made;
  if (status === 'not-run') return { ...made, skipped: found };
  return { ...made, failed: [found, `expected: ${expected}`, `fix: ${fix}`].join('\n') };
}

function noteCase(note: string): Case {
  return { group: 'run', name: note, seconds: 0, failed: note };
}

function caseXml({ group, name, seconds, failed, skipped }: Case): string {
  const head = `    <testcase classname="${escaped(group)}" name="${escaped(name)}" time="${seconds}"`;
  if (failed !== undefined)
    return `${head}><failure message="${escaped(failed.split('\n')[0] ?? '')}">${escaped(failed)}</failure></testcase>`;
  return skipped === undefined ? `${head}/>` : `${head}><skipped message="${escaped(skipped)}"/></testcase>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;' };

/** XML 1.0 has no place for control characters, however they are written. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
  const plain = text.replace(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|\p{Cs}/gu, '\ufffd');
  return plain.replace(/[&<>"\n]/g, (character) => entities[character] ?? character);
}

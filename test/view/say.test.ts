import { styleText } from 'node:util';
import { expect, test, vi } from 'vitest';
import { complain } from '../../src/cli/complain.ts';
import type { Report } from '../../src/model.ts';
import { secretSlot } from '../../src/sh/secret.ts';
import { watchLines } from '../../src/view/lines.ts';
import { forTerminal } from '../../src/view/say.ts';
import { reportText } from '../../src/view/text.ts';

/** Clears the screen, hides text, sets the title of the window, turns the direction. */
const hostile = ['\u001b[2J', '\u001b[8m', '\u001b]0;x\u0007', '\u009b2J', '\u202e', '\r'];
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const orders = /\u001b(?!\[(?:[012]|22|3[1-6]|39)m)|[\u0007\r\u009b\u202e]/;

test.each(hostile.map((text) => [JSON.stringify(text), text]))(
  '%s comes out as what can be read, our own colours as colours',
  (_, text) => {
    const line = `${styleText(['red', 'bold'], 'x', { validateStream: false })} ${text}\n\ty`;
    expect(forTerminal(line)).not.toMatch(orders);
    expect(forTerminal(line)).toContain('\u001b[31m');
    expect(forTerminal(line)).toMatch(/\n\ty$/);
  },
);

test('a trace is a text like any other', () => {
  const written = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  try {
    const defect = new Error(`no ${hostile.join('')} for ${secretSlot('vrrp')}`);
    complain(defect, true);
    const all = written.mock.calls.map(([text]) => String(text)).join('');
    expect(all).toContain('say.test.ts');
    expect(all).not.toMatch(orders);
    expect(all).not.toContain('\uE000');
  } finally {
    written.mockRestore();
  }
});

test('names of steps and checks, and why something is as it is, may hold what a host has said', () => {
  const said = hostile.join('');
  const step = { task: 'query', name: said, status: 'skipped', why: said, changes: [], pendingReboot: [said], stays: [said] } as const;
  const host = {
    name: 'web1',
    role: 'backend',
    address: '10.0.0.1',
    status: 'ok',
    why: '',
    changed: 0,
    channels: 1,
    steps: [step],
  } as const;
  const report: Report = {
    ...{ command: 'deploy', ok: true, exitCode: 0, runId: 'r', touched: false, batches: [], notes: [said] },
    summary: { hosts: 1, channels: 1, seconds: 1, ok: 1, changed: 0, failed: 0, unreachable: 0, skipped: 1, rescued: 0 },
    hosts: [host],
    checks: [{ name: said, host: 'web1', status: 'fail', found: said, expected: said, fix: said }],
  } as never;
  expect(reportText(report, { diff: true, verbose: 3 })).not.toMatch(orders);
});

test('titles, units and details of a run that is watched', () => {
  const lines: string[] = [];
  const watch = watchLines((line) => lines.push(line));
  const said = hostile.join('');
  watch.emit({ kind: 'begin', host: 'web1', title: said } as never);
  watch.emit({ kind: 'progress', host: 'web1', title: said, done: 50, total: 0, unit: said } as never);
  watch.emit({ kind: 'end', host: 'web1', title: said, result: 'failed', detail: said, seconds: 1 } as never);
  expect(lines).toHaveLength(3);
  expect(lines.join('')).not.toMatch(orders);
});

import { expect, test } from 'vitest';
import { newMeetings } from '../../src/apply/meeting.ts';
import type { Change, HostPlan, Step } from '../../src/model.ts';
import { sh } from '../../src/task.ts';

const step: Step = { id: '0.0', host: 'dr1', play: 0, name: 'all', task: 'command', want: {}, notify: [], where: {} };
const change: Change = { id: 'a', title: 'a', was: '', will: '', run: sh`true`, risk: 'split', stage: sh`true` };
const plan = (host: string): HostPlan => ({
  ...{ host, status: 'planned', why: '', handlers: [] },
  steps: [{ step, status: 'change', why: '', changes: [change], pendingReboot: [] }],
});
const well = async (): Promise<void> => {};
const said = (meeting: Promise<void>) => meeting.then(() => 'goes on', String);

test('whoever has come waits for the others', async () => {
  const meetings = newMeetings([plan('dr1'), plan('dr2')]);
  let on = false;
  const first = meetings.arrive('dr1', step, change, well).then(() => {
    on = true;
  });
  await new Promise((wake) => setTimeout(wake, 20));
  expect(on).toBe(false);
  await meetings.arrive('dr2', step, change, well);
  await first;
});

test('one that is lost while it waits stops all of them', async () => {
  const meetings = newMeetings([plan('dr1'), plan('dr2')]);
  let lost = false;
  const check = async (): Promise<void> => {
    if (lost) throw new Error('another run is at work here');
  };
  const first = said(meetings.arrive('dr1', step, change, check));
  lost = true;
  const why = 'Error: dr1 did not get ready: another run is at work here; nothing was put in force anywhere';
  expect(await Promise.all([first, said(meetings.arrive('dr2', step, change, well))])).toEqual([why, why]);
});

/** Hosts that answer the line's own questions and nothing else; lines that break before anything is heard. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { followOnce } from '../../../src/apply/bundle/follow-once.ts';
import { newJournalReader } from '../../../src/apply/bundle/journal-reader.ts';
import { newLedger } from '../../../src/apply/bundle/ledger.ts';
import { secondsFor } from '../../../src/apply/bundle/patience.ts';
import { runBundle } from '../../../src/apply/bundle/run-bundle.ts';
import { newNonce } from '../../../src/sh/frame.ts';
import { sh } from '../../../src/task.ts';
import type { Channel, Connection } from '../../../src/transport/transport.ts';
import { isolatedConnection } from '../../support/isolated.ts';
import { wedged } from '../../support/wedged.ts';

const jobs = [{ title: 'a job', run: sh`echo ran`, timeout: 5 }];
const quiet = { resolve: String, conceal: String, emit: () => undefined };

test('a host that is at a step and says nothing more is given up, with the reason', async () => {
  const bundle = { id: 'run-0', nonce: newNonce(), jobs };
  const ledger = newLedger(bundle, 'web1', quiet);
  // It goes on saying that it begins: that is no news.
  const said = `\n${bundle.nonce} journal\n${bundle.nonce} begin 0\n${`${bundle.nonce} begin 0\n`.repeat(20)}`;
  const asked: (number | undefined)[] = [];
  const end = await followOnce(
    wedged(() => said),
    'a script',
    {
      ...{ reader: newJournalReader(bundle.nonce), ledger, goodbye: '', confirm: () => undefined },
      patience: (job) => asked.push(job) && 0.5,
    },
  );
  expect(end.reason).toMatch(/does not end it: nothing new in 0\.5 s$/);
  expect(asked).toEqual([undefined, 0]);
});

test('a step is waited for as long as the host itself lets it be at work', () => {
  const [job] = jobs as [(typeof jobs)[number]];
  const plain = secondsFor(job, 60);
  expect(plain).toBeGreaterThan(5 + 120 + 120);
  expect(secondsFor({ ...job, tries: { tries: 3, delay: 10 } }, 60)).toBeGreaterThan(plain + 2 * (10 + 5 + 120));
  expect(secondsFor({ ...job, undo: sh`:` }, 60)).toBeGreaterThan(plain + 60 + 60);
  expect(secondsFor({ ...job, unless: sh`:`, validate: sh`:` }, 60)).toBeGreaterThanOrEqual(plain + 10);
});

/** Of its lines the first breaks with nothing heard; then `before` is done, and the next is a good one. */
function brokenOnce(before: () => void): { readonly connection: Connection; readonly sent: () => number } {
  const good = isolatedConnection('dash');
  let lines = 0;
  const shell = async (): Promise<Channel> => {
    lines += 1;
    if (lines > 1) return good.shell();
    const [stdin, stdout, stderr] = [new PassThrough().resume(), new PassThrough().end(), new PassThrough().end()] as const;
    return { stdin, stdout, stderr, ended: Promise.resolve({ exit: null }), close: () => undefined };
  };
  return { connection: { ...good, channels: 0, shell, renew: async () => before() }, sent: () => lines };
}

test('nothing is sent once more to a host that has another lock by now', async () => {
  const { connection, sent } = brokenOnce(() => undefined);
  const check = async (): Promise<void> => {
    throw new Error('somebody else has it');
  };
  await expect(runBundle(connection, { id: 'run-0', nonce: newNonce(), jobs }, { ...quiet, check })).rejects.toThrow('somebody else');
  expect(sent()).toBe(1);
});

test('nothing begins over a new line when the run was asked to stop meanwhile', async () => {
  const stop = new AbortController();
  const { connection, sent } = brokenOnce(() => stop.abort());
  const { outcomes, failed } = await runBundle(
    connection,
    { id: 'run-0', nonce: newNonce(), jobs, failed: ['0b'] },
    { ...quiet, stop: stop.signal },
  );
  expect(outcomes.map(({ result }) => result)).toEqual(['not-run']);
  expect(failed).toEqual(['0b']);
  // It is asked whether it had begun.
  expect(sent()).toBe(2);
});

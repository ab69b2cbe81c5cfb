import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { placeInBlocks } from '../../../src/apply/bundle/blocks.ts';
import type { Job } from '../../../src/apply/bundle/bundle.ts';
import { runBundle } from '../../../src/apply/bundle/run-bundle.ts';
import type { Event, Frame } from '../../../src/model.ts';
import { newNonce } from '../../../src/sh/frame.ts';
import { secretSlot } from '../../../src/sh/secret.ts';
import { type Sh, sh } from '../../../src/task.ts';
import type { Channel } from '../../../src/transport/transport.ts';
import { isolatedConnection } from '../../support/isolated.ts';

const job = (run: Sh, more: Partial<Job> = {}): Job => ({ title: 'a job', run, timeout: 20, ...more });

/** Each in turn stands as /bin/sh where the runner runs. */
describe.each(['dash', 'bash', 'busybox', 'mksh'])('the runner with %s as sh', (shell) => {
  const play = async (jobs: readonly Job[]) => {
    const events: Event[] = [];
    const connection = isolatedConnection(shell);
    const bundle = { id: 'run-0', nonce: newNonce(), jobs };
    const { outcomes, failed } = await runBundle(connection, bundle, {
      resolve: (text) => text.replace(secretSlot('s'), 'hunter2'),
      conceal: (text) => text.replaceAll('hunter2', secretSlot('s')),
      emit: (event) => void events.push(event),
    });
    return { outcomes, failed, events, results: outcomes.map(({ result }) => result) };
  };

  test('changes run in order; a satisfied one is left alone; progress and output come back', async () => {
    const { outcomes, events, results } = await play([
      job(sh`echo one >/var/log; progress 3 9 ${'object files'}`),
      job(sh`exit 1`, { unless: sh`test -e /var/log` }),
      job(sh`cat /var/log; echo ${secretSlot('s')} | tr a-z A-Z; false`),
      job(sh`echo never`),
    ]);
    expect(results).toEqual(['done', 'already', 'failed', 'not-run']);
    expect(outcomes[2]).toMatchObject({ exit: 1, output: 'one\nHUNTER2' });
    expect(events).toContainEqual({ kind: 'progress', host: 'dr1', title: 'a job', done: 3, total: 9, unit: 'object files' });
  });

  test('of a long output the end is shown, without the line that was cut: it may hold the rest of a secret', async () => {
    const { outcomes } = await play([
      job(sh`seq -f 'before %g' 1 50; printf '%04100d' 0 | tr 0 x; echo '-rest-of-a-secret'; seq 1 20; false`),
      job(sh`true`),
    ]);
    expect(outcomes[0]?.output).toMatch(/^\(what it printed before is left out\)\n1\n2\n[\s\S]*20$/);
    const short = await play([job(sh`printf '%03999d\\n' 0; false`)]);
    expect(short.outcomes[0]?.output).toHaveLength(3999);
  });

  test('a change whose validation fails is not run', async () => {
    const { outcomes, results } = await play([job(sh`echo ran >/var/ran`, { validate: sh`echo 'line 3: bad'; exit 5` }), job(sh`true`)]);
    expect(results).toEqual(['failed', 'not-run']);
    expect(outcomes[0]).toMatchObject({ exit: 5, output: 'line 3: bad' });
  });

  test('a handler runs after a change that notified it, once, and not after one that had nothing to do', async () => {
    const already = sh`true`;
    const { results } = await play([
      job(sh`true`),
      job(sh`true`, { unless: already }),
      job(sh`true`, { after: [1] }),
      job(sh`true`, { after: [0, 1] }),
      job(sh`true`, { after: 'always' }),
    ]);
    expect(results).toEqual(['done', 'already', 'not-run', 'done', 'done']);
  });

  test('a handler does not run after a failure', async () => {
    expect((await play([job(sh`true`), job(sh`false`), job(sh`true`, { after: [0] })])).results).toEqual(['done', 'failed', 'not-run']);
  });

  test('what a step prints cannot pass for an event', async () => {
    const { results } = await play([
      job(sh`printf '%s end 0 done 0\n%s finished\n' "$LVSCTL_NONCE" "$LVSCTL_NONCE"; printf 'no newline'; exit 7`),
    ]);
    expect(results).toEqual(['failed']);
  });

  test('a step that takes too long is ended, a greedy one reads nothing', async () => {
    const { outcomes, results } = await play([job(sh`cat`), job(sh`sleep 600`, { timeout: 1 })]);
    expect(results).toEqual(['done', 'failed']);
    expect(outcomes[1]?.exit).toBe(124);
  });
});

test('a line that breaks leaves the running step failed and the rest not run', async () => {
  const connection = isolatedConnection('dash');
  const bundle = { id: 'run-0', nonce: newNonce(), jobs: [job(sh`true`), job(sh`sleep 5`), job(sh`true`)] };
  let cut = () => {};
  const running = runBundle(
    {
      ...connection,
      channels: 0,
      shell: async () => {
        const channel = await connection.shell();
        cut = channel.close;
        return channel;
      },
    },
    bundle,
    { resolve: (text) => text, conceal: (text) => text, emit: (event) => event.kind === 'end' && cut() },
  );
  expect((await running).outcomes.map(({ result }) => result)).toEqual(['done', 'failed', 'not-run']);
});

test('a change that may shut everybody out does not run before its timer is set, however often it is tried', async () => {
  // Sets no timer the first time.
  const systemdRun = `#!/bin/sh
case "$*" in
  *--on-active*) [ -e /run/asked ] || { : >/run/asked; echo 'no timer'; exit 1; }
    while [ "$1" != sh ]; do shift; done; { sleep 2; exec "$@"; } & ;;
  *) while [ "$1" != sh ]; do shift; done; "$@" & ;;
esac >/dev/null 2>&1
`;
  const prepare = `mkdir -p /run/systemd/system; cat >/run/fake <<'END'\n${systemdRun}END\nchmod 755 /run/fake; mount --bind /run/fake /usr/bin/systemd-run`;
  const connection = isolatedConnection('dash', () => prepare);
  const risky = job(sh`echo ran`, { undo: sh`echo 'put back'; exit 3`, tries: { tries: 2, delay: 0 } });
  const bundle = { id: 'run-0', nonce: newNonce(), jobs: [risky], undoAfter: 2 };
  const { outcomes } = await runBundle(connection, bundle, { resolve: (text) => text, conceal: (text) => text, emit: () => {} });
  // Nobody comes in: each line of this connection leads to another /run.
  expect(outcomes[0]).toMatchObject({ result: 'failed', exit: 125 });
  expect(outcomes[0]?.output).toMatch(
    /^ran\nthe host could not be reached .*: what was there before could not all be put back:\nput back$/,
  );
});

test('a step that would be tried again is not, once the run is asked to stop', async () => {
  const stop = new AbortController();
  const bundle = {
    id: 'run-0',
    nonce: newNonce(),
    jobs: [job(sh`echo tried; progress 1 1 ${'tries'}; exit 9`, { tries: { tries: 5, delay: 3600 } }), job(sh`true`)],
  };
  const { outcomes } = await runBundle(isolatedConnection('dash'), bundle, {
    resolve: (text) => text,
    conceal: (text) => text,
    emit: ({ kind }) => kind === 'progress' && stop.abort(),
    stop: stop.signal,
  });
  expect(outcomes).toMatchObject([
    { result: 'failed', exit: 9, output: 'tried\nasked to stop: it was not tried again' },
    { result: 'not-run' },
  ]);
});

test('where a mark cannot be left the step fails, and what is to follow a failure does', async () => {
  // A folder in the place of the mark.
  const connection = isolatedConnection('dash', () => 'mkdir -p /var/lib/lvsctl/pending/reload');
  const frame = (part: Frame['part']): readonly Frame[] => [{ block: 'b', name: 'careful', part, rescued: true }];
  const jobs = [job(sh`echo never`, { owes: ['reload'] }), job(sh`echo rescued`)];
  const placed = placeInBlocks([frame('body'), frame('rescue')]).map((each, index) => ({ ...(jobs[index] as Job), placed: each }));
  const bundle = { id: 'run-0', nonce: newNonce(), jobs: placed };
  const { outcomes } = await runBundle(connection, bundle, { resolve: (text) => text, conceal: (text) => text, emit: () => {} });
  expect(outcomes.map(({ result }) => result)).toEqual(['failed', 'done']);
  expect(outcomes[0]?.output).toMatch(/pending\/reload/);
});

test('of a host that says more of a step than any of ours does, only the end is kept', async () => {
  const nonce = newNonce();
  const logs = Array.from({ length: 5000 }, (_, number) => `${nonce} log 0 ${'x'.repeat(100)} ${number}`);
  const told = [`${nonce} journal`, `${nonce} begin 0`, ...logs, `${nonce} end 0 failed 1`, `${nonce} finished top`];
  const shell = async (): Promise<Channel> => ({
    ...{ stdin: new PassThrough().resume(), stdout: Readable.from([`${told.join('\n')}\n`].map(Buffer.from)), stderr: Readable.from([]) },
    ...{ ended: Promise.resolve({ exit: 0 }), close: () => {} },
  });
  const bundle = { id: 'run-0', nonce, jobs: [job(sh`false`)] };
  const options = { resolve: (text: string) => text, conceal: (text: string) => text, emit: () => {} };
  const { outcomes } = await runBundle({ ...isolatedConnection('dash'), shell }, bundle, options);
  expect(outcomes[0]?.output).toMatch(/x 4999$/);
  expect(outcomes[0]?.output.length).toBeLessThan(100_000);
});

/** A run over lines that break: through a proxy that cuts, to a real sshd whose /run and /var/cache are its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Job } from '../../src/apply/bundle/bundle.ts';
import { type BundleResult, runBundle } from '../../src/apply/bundle/run-bundle.ts';
import type { Event } from '../../src/model.ts';
import { probeHost } from '../../src/probe/probe.ts';
import { newNonce } from '../../src/sh/frame.ts';
import { lines, sh } from '../../src/task.ts';
import { renewable } from '../../src/transport/renewable.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { startIsolatedSshd } from '../support/isolated-sshd.ts';
import type { CuttingProxy } from '../support/proxy.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Bench {
  readonly proxy: CuttingProxy;
  /** Runs the jobs; `cut` is told of every event, and `away` is waited for before a line is opened again. */
  run(jobs: readonly Job[], cut?: (event: Event) => void, away?: () => Promise<void>): Promise<BundleResult>;
  /** Lines that the jobs wrote with `mark`. */
  marks(): readonly string[];
  connect(): Promise<Connection>;
}

async function bench(): Promise<Bench> {
  const { sshd, proxy, transport, host, stop } = await startIsolatedSshd([
    '/run/lvsctl',
    '/var/cache/lvsctl',
    '/var/lib/lvsctl',
    '/var/log/lvsctl',
  ]);
  cleanups.push(stop);
  let runs = 0;
  const marks = join(sshd.dir, 'marks');
  const connect = async (away: () => Promise<void>): Promise<Connection> => {
    const connection = await renewable(host, transport);
    cleanups.push(() => connection.close());
    const renew = async (): Promise<void> => {
      await away();
      await connection.renew?.();
    };
    const again = () => transport.connect(connection.host);
    return { host: connection.host, shell: () => connection.shell(), channels: 0, close: () => connection.close(), renew, again };
  };
  return {
    proxy,
    async run(jobs, cut = () => undefined, away = async () => undefined) {
      runs += 1;
      const bundle = { id: `run-${runs}`, nonce: newNonce(), jobs, undoAfter: 3 };
      return runBundle(await connect(away), bundle, { resolve: (text) => text, conceal: (text) => text, emit: cut, patience: 60 });
    },
    connect: () => connect(async () => undefined),
    marks: () => readFileSync(marks, 'utf8').trim().split('\n'),
  };
}

/** Each writes its name where only somebody who ran it can have written it, and talks a little. */
const job = (name: string, seconds = 0): Job => ({
  title: name,
  run: sh`progress 1 2 halves; printf '%s\n' ${name} >>"$HOME/marks"; sleep ${String(seconds)}; progress 2 2 halves`,
  timeout: 60,
});
const jobs = ['one', 'two', 'three', 'four'].map((name) => job(name));
const names = jobs.map(({ title }) => title);
const done = names.map(() => 'done');
const results = ({ outcomes }: BundleResult) => outcomes.map(({ result }) => result);

test('cut anywhere, from the first byte of the script to the last of the journal, every step runs once', async () => {
  const { proxy, run, marks } = await bench();
  expect(results(await run(jobs))).toEqual(done);
  const whole = proxy.passed;
  const cuts = 16;
  for (let number = 1; number <= cuts; number++) {
    proxy.cutAfter((whole * number) / (cuts + 1));
    // A line that breaks before the host lets us in is no run yet.
    const result = await run(jobs).catch((error: Error) => error);
    if (result instanceof Error) expect(result.message).toMatch(/connection|reset|closed|lost/i);
    else expect(results(result)).toEqual(done);
  }
  const all = marks();
  expect(all).toEqual(Array.from({ length: all.length / names.length }, () => names).flat());
  expect(all.length).toBeGreaterThan(names.length * 10);
});

test('cut at the beginning and at the end of every step, in one run', async () => {
  const { proxy, run, marks } = await bench();
  const told: string[] = [];
  const result = await run(jobs, (event) => {
    if (event.kind !== 'begin' && event.kind !== 'end') return;
    told.push(`${event.kind} ${event.title}`);
    proxy.cut();
  });
  expect(results(result)).toEqual(done);
  expect(told).toEqual(names.flatMap((name) => [`begin ${name}`, `end ${name}`]));
  expect(marks()).toEqual(names);
});

test('a line that goes silent in the middle of a step is noticed, and the step is not run again', async () => {
  const { proxy, run, marks } = await bench();
  const result = await run([job('long', 5), job('after')], (event) => {
    if (event.kind === 'begin' && event.title === 'long') proxy.freeze();
  });
  expect(results(result)).toEqual(['done', 'done']);
  expect(marks()).toEqual(['long', 'after']);
});

test('a runner that is killed has failed where it was, and nothing waits for it', async () => {
  const { run } = await bench();
  const suicide: Job = { title: 'ends its runner', run: sh`kill -9 "$(cat "$LVSCTL_RUN/started/pid")"; sleep 1`, timeout: 60 };
  const result = await run([job('one'), suicide, job('never')]);
  expect(results(result)).toEqual(['done', 'failed', 'not-run']);
  expect(result.outcomes[1]?.output).toMatch(/ended before it had finished/);
  expect(result.failed).toEqual(['top']);
});

test('a host that was restarted meanwhile is not asked to do it all again', async () => {
  const { proxy, run, marks } = await bench();
  // With what was mounted there, as a reboot does.
  const clear = sh`umount -l /run/lvsctl/run-1/logs; rm -rf /run/lvsctl/run-1`;
  const clears: Job = { title: 'clears /run', run: sh`${clear}; echo cleared >>"$HOME/marks"; sleep 30`, timeout: 60 };
  const cut = (event: Event): void => {
    if (event.kind === 'begin' && event.title === 'clears /run') proxy.cut();
  };
  const cleared = () => vi.waitFor(() => expect(marks()).toContain('cleared'), { timeout: 30_000 });
  const result = await run([job('one'), clears, job('never')], cut, cleared);
  expect(results(result)).toEqual(['done', 'failed', 'not-run']);
  expect(result.outcomes[1]?.output).toMatch(/the host was restarted while this ran/);
  expect(marks()).toEqual(['one', 'cleared']);
});

test('a look at a host is taken again over a new line; one that breaks the line each time is given up', async () => {
  const { proxy, connect } = await bench();
  const connection = await connect();
  proxy.cut();
  const look = { word: sh`echo here` };
  expect(await probeHost(connection, look, { timeout: 20, resolve: (text) => text })).toMatchObject({
    reached: true,
    outputs: { word: { stdout: 'here\n' } },
  });
  const breaks = { word: sh`kill -9 "$PPID" $$` };
  expect(await probeHost(connection, breaks, { timeout: 20, resolve: (text) => text })).toMatchObject({ reached: false });
});

describe('a change that may shut everybody out', () => {
  const risky = (more: Partial<Job> = {}): Job => ({
    title: 'risky',
    run: sh`echo changed >>"$HOME/marks"`,
    undo: sh`echo undone >>"$HOME/marks"`,
    timeout: 60,
    ...more,
  });

  test('stays when somebody comes in by a new connection', async () => {
    const { run, marks } = await bench();
    expect(results(await run([risky(), job('after')]))).toEqual(['done', 'done']);
    // The timer has nothing left to do when its time comes.
    await pause(4000);
    expect(marks()).toEqual(['changed', 'after']);
  });

  test('is put back by the host when nobody can, and has failed; what follows it is not done', async () => {
    const { proxy, run, marks } = await bench();
    const result = await run([risky(), job('never')], (event) => {
      if (event.kind === 'begin') proxy.admit(false);
    });
    expect(results(result)).toEqual(['failed', 'not-run']);
    expect(result.outcomes[0]?.output).toMatch(
      /could not be reached over a new connection within 3 s: it has put back what was there before/,
    );
    expect(marks()).toEqual(['changed', 'undone']);
  });

  test('is put back although lvsctl is gone', async () => {
    const { proxy, run, marks, connect } = await bench();
    const gone = run([risky(), job('never')], (event) => {
      if (event.kind !== 'begin') return;
      proxy.admit(false);
      proxy.cut();
    });
    void gone.catch(() => undefined);
    await vi.waitFor(() => expect(marks()).toEqual(['changed', 'undone']), { timeout: 20_000 });
    proxy.admit(true);
    await (await connect()).shell();
  });

  test('that fails is put back at once', async () => {
    const { run, marks } = await bench();
    expect(results(await run([risky({ run: sh`echo half >>"$HOME/marks"; false` })]))).toEqual(['failed']);
    expect(marks()).toEqual(['half', 'undone']);
  });

  describe('and is tried again', () => {
    const flaky = (more: Partial<Job> = {}): Job =>
      risky({ run: sh`echo try >>"$HOME/marks"; [ "$(grep -c try "$HOME/marks")" -ge 2 ]`, tries: { tries: 3, delay: 0 }, ...more });

    test('is put back after each try that fails, and stays when one goes well and somebody comes in', async () => {
      const { run, marks } = await bench();
      expect(results(await run([flaky()]))).toEqual(['done']);
      await pause(4000);
      expect(marks()).toEqual(['try', 'undone', 'try']);
    });

    test('has the whole time for each try: a timer of an earlier one does nothing', async () => {
      const { run, marks } = await bench();
      expect(results(await run([flaky({ tries: { tries: 2, delay: 4 } })]))).toEqual(['done']);
      expect(marks()).toEqual(['try', 'undone', 'try']);
    });

    test('is put back by the host when nobody can come in after the one that went well', async () => {
      const { proxy, run, marks } = await bench();
      const result = await run([flaky()], (event) => {
        if (event.kind === 'begin') proxy.admit(false);
      });
      expect(results(result)).toEqual(['failed']);
      expect(marks()).toEqual(['try', 'undone', 'try', 'undone']);
    });
  });

  test('that takes longer than the host waits is put back as it is in the end, and has failed', async () => {
    const { run, marks } = await bench();
    const result = await run([risky({ run: sh`sleep 5; echo changed >>"$HOME/marks"` })]);
    expect(result.outcomes[0]).toMatchObject({
      result: 'failed',
      output: expect.stringMatching(/^this took longer than the 3 s .* put back/),
    });
    expect(marks()).toEqual(['undone', 'changed', 'undone']);
  });

  test('is put back although the timer was killed', async () => {
    const { proxy, run, marks } = await bench();
    const timers = sh`for each in /proc/[0-9]*; do
  { grep -qa "$LVSCTL_NONCE" "$each/environ" && grep -qaF 'runner" undo' "$each/cmdline"; } 2>/dev/null || continue
  [ "\${each#/proc/}" = "$$" ] || kill "\${each#/proc/}"
done`;
    const result = await run([risky({ run: lines(timers, sh`echo changed >>"$HOME/marks"`) })], (event) => {
      if (event.kind === 'begin') proxy.admit(false);
    });
    expect(results(result)).toEqual(['failed']);
    expect(marks()).toEqual(['changed', 'undone']);
  });
});

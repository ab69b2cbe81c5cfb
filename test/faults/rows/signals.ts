import { type Fault, must } from '../fault.ts';
import { type Going, marked, type Target } from '../target.ts';

const signals = { 'Ctrl-C': 'SIGINT', TERM: 'SIGTERM', 'a closed terminal': 'SIGHUP' } as const;
const tasks = marked('one', 3) + marked('two', 0.1) + marked('three', 0.1);
const whole = ['one', 'two', 'three'].flatMap((name) => [`begin ${name}`, `end ${name}`]);

/** A row each: `--once` plays all of them. */
const interrupted = Object.entries(signals).map(
  ([name, signal]): Fault => ({
    fault: `${name} in the middle of a run`,
    holds: 'the step at work is finished, none is begun, no lock stays; the command that goes on is said, and does',
    tries: 1,
    async play(target) {
      const first = await begunOn(target);
      first.kill(signal);
      const { exit, stdout } = await first.ended;
      must(exit === 130, 'it ends with 130', exit);
      must(/interrupted: .* "lvsctl deploy .*" goes on from here/.test(stdout), 'what goes on is said', stdout);
      must(marks(target).join() === 'begin one,end one', 'one step is finished, none begun', marks(target));
      must(target.shell('ls /run/lvsctl').trim() === 'last', 'no lock and no run are left', target.shell('ls /run/lvsctl'));
      await goesOn(target);
    },
  }),
);

export const signalFaults: readonly Fault[] = [
  ...interrupted,
  {
    fault: 'Ctrl-C twice',
    holds: 'it leaves at once; the host goes on by itself, and the next run takes that up',
    tries: 2,
    async play(target) {
      const first = await begunOn(target);
      first.kill('SIGINT');
      await heard(first, /stops as soon as/);
      first.kill('SIGINT');
      const { exit, stderr } = await first.ended;
      must(exit === 130, 'it ends with 130', exit);
      must(/"lvsctl deploy .*" takes it up/.test(stderr), 'what takes it up is said', stderr);
      must(marks(target).join() === 'begin one', 'it has not waited for the step', marks(target));
      await goesOn(target);
    },
  },
  {
    fault: 'Ctrl-C before anything is touched',
    holds: 'it leaves at once, and says that nothing was touched',
    tries: 1,
    async play(target) {
      // A line so slow that it is still being opened.
      target.proxy.trickle(1, 200);
      const first = target.begin(tasks);
      while (target.proxy.passed === 0) await new Promise((wake) => setTimeout(wake, 100));
      first.kill('SIGINT');
      const { exit, stderr } = await first.ended;
      must(exit === 130 && /interrupted: nothing was touched/.test(stderr), 'nothing was touched', { exit, stderr });
    },
  },
];

const marks = (target: Target): readonly string[] => target.shell('cat /srv/marks').trim().split('\n');

/** A run whose first step is at work. */
async function begunOn(target: Target): Promise<Going> {
  const run = target.begin(tasks);
  await heard(run, /web1: .*one/);
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    if (target.shell('cat /srv/marks 2>/dev/null || :').includes('begin one')) return run;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`the step was not begun: ${run.heard()}`);
}

async function heard(run: Going, what: RegExp): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 50)))
    if (what.test(run.heard())) return;
  throw new Error(`never said ${what}: ${run.heard()}`);
}

async function goesOn(target: Target): Promise<void> {
  const { exit, stdout, stderr } = await target.deploy(tasks);
  must(exit === 0, 'the next deploy does the rest', stdout + stderr);
  must(marks(target).join() === whole.join(), 'each step is run once', marks(target));
  must(target.shell('cat /srv/told') !== '', 'the handler has run', '');
}

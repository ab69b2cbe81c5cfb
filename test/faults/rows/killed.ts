import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, must } from '../fault.ts';
import { marked } from '../target.ts';

const names = ['one', 'two', 'three', 'four'];
const tasks = names.map((name) => marked(name, 0.3)).join('');

export const killFaults: readonly Fault[] = [
  {
    fault: 'kill -9 of lvsctl at a random point, then deploy again',
    holds: 'converges; no step is run twice, no handler lost; the lock is broken by rule',
    tries: 20,
    async play(target) {
      const first = target.begin(tasks);
      await pause(300 + Math.random() * 4000);
      first.kill('SIGKILL');
      await first.ended;
      const { exit, stdout, stderr } = await target.deploy(tasks);
      must(exit === 0, 'the second deploy ends well', `exit ${exit}: ${stdout}${stderr}`);
      const marks = target.shell('cat /srv/marks').trim().split('\n');
      const expected = names.flatMap((name) => [`begin ${name}`, `end ${name}`]);
      must(JSON.stringify(marks) === JSON.stringify(expected), 'each step runs once', marks);
      const told = target.shell('cat /srv/told 2>/dev/null || :');
      must(told.length > 0, 'the handler runs', told);
      const again = await target.deploy(tasks);
      must(again.exit === 0 && / 0 changes/.test(again.stdout), 'nothing is left to do', again.stdout);
      // A lock that was left behind stands until somebody needs it, and what the run has left goes with it.
      const more = await target.deploy(tasks + marked('more'));
      must(more.exit === 0, 'a deploy that has something to do gets the lock', `exit ${more.exit}: ${more.stdout}${more.stderr}`);
      must(target.shell('ls /run/lvsctl').trim() === 'last', 'no lock and no run are left', target.shell('ls /run/lvsctl'));
    },
  },
  {
    fault: 'two deploys at once from two control processes',
    holds: "one refuses with the other's name; never interleaved",
    tries: 5,
    async play(target) {
      const runs = await Promise.all(
        [target.begin(tasks), target.begin(tasks.replaceAll(/\b(one|two|three|four)\b/g, 'other-$1'))].map(({ ended }) => ended),
      );
      const exits = runs.map(({ exit }) => exit).sort();
      must(exits.join() === '0,6', 'one goes on, the other is refused', runs);
      const refused = runs.find(({ exit }) => exit === 6)?.stderr ?? '';
      must(
        /web1: another run (is at work here: lvsctl deploy .* by \S+@\S+|\(\S+\) has touched it)/.test(refused),
        'who is at work is said',
        refused,
      );
      const marks = target.shell('cat /srv/marks').trim().split('\n');
      must(new Set(marks.map((mark) => mark.includes('other-'))).size === 1, 'never interleaved', marks);
    },
  },
];

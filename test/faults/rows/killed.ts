import { hostname, userInfo } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, must } from '../fault.ts';
import { held, marked, type Target } from '../target.ts';

const names = ['one', 'two', 'three', 'four'];
const tasks = names.map((name) => marked(name, 0.3)).join('');

/** Killed while it was at work: one that had ended by itself by then is no try, and all is as before the first. */
async function killed(target: Target): Promise<void> {
  for (let round = 1; round <= 5; round++) {
    const run = target.begin(tasks);
    await pause(300 + Math.random() * 4000);
    run.kill('SIGKILL');
    // Whoever is killed has no exit code.
    if ((await run.ended).exit === null) return;
    target.shell('rm -rf /srv/*');
  }
  throw new Error('five runs in turn had ended before they were killed');
}

export const killFaults: readonly Fault[] = [
  {
    fault: 'kill -9 of lvsctl at a random point, then deploy again',
    holds: 'converges; no step is run twice, no handler lost; the lock is broken by rule',
    tries: 20,
    async play(target) {
      await killed(target);
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
      // Whoever comes first is at work until the other has been refused.
      target.shell('touch /srv/hold-zero');
      const first = target.begin(held('zero') + tasks);
      const second = target.begin((held('zero') + tasks).replaceAll(/\b(one|two|three|four)\b/g, 'other-$1'));
      const refused = await Promise.race([first.ended, second.ended]);
      target.shell('rm /srv/hold-zero');
      const runs = await Promise.all([first.ended, second.ended]);
      const exits = runs.map(({ exit }) => exit).sort();
      must(exits.join() === '0,6' && refused.exit === 6, 'one goes on, the other is refused', runs);
      const owner = `lvsctl deploy .*book-${runs.indexOf(refused) === 0 ? 2 : 1}\\.yaml .* by ${userInfo().username}@${hostname()} \\(run `;
      must(new RegExp(`web1: another run is at work here: ${owner}`).test(refused.stderr), 'who is at work is said', refused.stderr);
      const marks = target.shell('cat /srv/marks').trim().split('\n');
      must(marks.length === 2 + 2 * names.length, 'each step is run once', marks);
      must(new Set(marks.slice(2).map((mark) => mark.includes('other-'))).size === 1, 'never interleaved', marks);
    },
  },
];

import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { must, said } from '../fault.ts';
import type { LabFault, LabTarget } from '../lab-target.ts';
import { marked } from '../target.ts';

const clear = (target: LabTarget) => target.shell('rm -rf /srv/* && sync');

/** Each of 30 KB of one letter. */
const files = Array.from({ length: 8 }, (_, index) => `/srv/file-${index}`);
const letters = (letter: string): string => letter.repeat(30_000);
const sum = (letter: string): string => createHash('md5').update(letters(letter)).digest('hex');
const write = (letter: string, paths = files): string =>
  paths.map((path) => `    - { name: write ${path}, file: { path: ${path}, content: "${letters(letter)}" }, notify: tell }\n`).join('');

/** What is neither all old nor all new, of what is there. */
const torn = `md5sum ${files.join(' ')} 2>&1 | grep -v -e '^${sum('a')} ' -e '^${sum('b')} '`;

/** Reads them over and over until the machine is no more, and keeps what it has found where that cannot take it away. */
const reader = `(while :; do ${torn} >>/srv/torn && sync; echo read >/run/has-read; done) >/dev/null 2>&1 </dev/null &`;

/** What it was is put back by the host itself. */
const enforce = `export default ({ defineTask, sh, z }) => defineTask({
  summary: 'Makes SELinux enforcing without looking.',
  params: z.strictObject({}),
  touches: () => ['selinux:mode'],
  probe: () => sh\`cat /sys/fs/selinux/enforce\`,
  parse: ({ stdout }) => stdout.trim(),
  plan: (seen) => seen === '1' ? [] : [{
    id: 'enforce', title: 'make SELinux enforcing', was: 'permissive\\n', will: 'enforcing\\n', risk: 'lockout',
    run: sh\`printf 1 >/sys/fs/selinux/enforce\`,
    undo: sh\`printf 0 >/sys/fs/selinux/enforce\`,
  }],
  settled: () => 'it is',
  example: {},
});
`;

export const labFaults: readonly LabFault[] = [
  {
    fault: 'the power of the host is cut in the middle of a run',
    holds: 'the run has failed, with the reason; no file is ever torn, before and after; the next run converges, and no handler is lost',
    tries: 4,
    async play(target, number) {
      const before = await target.deploy(write('a'));
      must(before.exit === 0, 'the files are there', said(before));
      await target.shell(`rm -f /srv/told; ${reader}`);
      await target.until('[ -e /run/has-read ]');
      // What is slow is for a cut that comes late: the run is never over before it.
      const going = target.deploy(write('b') + marked('slow', 600) + marked('after'));
      await target.until(`md5sum ${files[Math.floor(Math.random() * 5)]} | grep -q '^${sum('b')} '`);
      await pause(Math.random() * 1500);
      await target.power('off');
      // It is back before lvsctl has given it up, or after.
      if (number % 2 === 0) await target.power('on');
      const cut = await going;
      must(cut.exit === 1 || cut.exit === 5, 'the run has failed', said(cut));
      must(/the host was restarted while this ran|the line broke/.test(cut.stdout), 'with the reason', said(cut));
      if (number % 2 !== 0) await target.power('on');
      await target.back();
      const halves = await target.shell(`cat /srv/torn 2>/dev/null; ${torn} || :`);
      must(halves === '', 'no file is torn, neither now nor for who read it meanwhile', halves);
      const fresh = await target.shell(`md5sum ${files.join(' ')} | sed -n 's/^${sum('b')} *//p'`);
      const written = fresh.split('\n').filter((path) => path !== '');
      // The last rename may have been lost with the power, and none before it.
      if (written.length > 0) {
        const owed = await target.deploy(write('b', written.slice(0, 1)));
        must(owed.exit === 0, 'a run that finds its file written', said(owed));
        const told = await target.shell('cat /srv/told 2>/dev/null || :');
        must(told === 'told\n', 'the handler that was owed has run', `${told}${said(owed)}`);
      }
      const after = await target.deploy(write('b') + marked('after'));
      must(after.exit === 0, 'the next run converges', said(after));
      must((await target.shell(`${torn} || :`)) === '', 'every file is whole', said(after));
      const again = await target.deploy(write('b') + marked('after'));
      must(again.exit === 0 && / 0 changes/.test(again.stdout), 'nothing is left to do', said(again));
      await clear(target);
    },
  },
  {
    fault: 'the clock jumps in the middle of a run, a day on and two days back',
    holds: 'each step is run once, the handler too; the lock is let go; the next run has nothing to do',
    tries: 1,
    async play(target) {
      const jump = (name: string, by: string): string =>
        `    - { name: ${name}, command: { run: "date -s \\"${by}\\" && touch /srv/${name}", creates: /srv/${name} }, notify: tell }\n`;
      const tasks = marked('one') + jump('on', 'tomorrow') + marked('two', 3) + jump('back', '2 days ago') + marked('three', 3);
      const run = await target.deploy(tasks);
      must(run.exit === 0, 'the run ends well', said(run));
      const marks = (await target.shell('cat /srv/marks')).trim().split('\n');
      const expected = ['one', 'two', 'three'].flatMap((name) => [`begin ${name}`, `end ${name}`]);
      must(JSON.stringify(marks) === JSON.stringify(expected), 'each step is run once', marks);
      must((await target.shell('cat /srv/told')) === 'told\n', 'the handler is run once', await target.shell('cat /srv/told'));
      const again = await target.deploy(tasks);
      must(again.exit === 0 && / 0 changes/.test(again.stdout), 'nothing is left to do', said(again));
      const left = (await target.shell('ls /run/lvsctl')).trim();
      must(left === 'last', 'no lock and no run are left', left);
      await clear(target);
    },
  },
  {
    fault: 'SELinux made enforcing on a disk without labels',
    selinux: true,
    holds: 'the task refuses it, with the reason; forced, the host puts itself back within the timer and the run has failed',
    tries: 1,
    async play(target) {
      const refused = await target.deploy('    - { name: mode, selinux: { state: enforcing } }\n');
      must(refused.exit === 4, 'the task refuses it', said(refused));
      must(
        /SELinux cannot be enforcing yet: .*touch \/\.autorelabel/s.test(refused.stdout + refused.stderr),
        'why, and what to do',
        said(refused),
      );
      target.ownTask('enforce', enforce);
      const forced = await target.deploy(`    - { name: enforce, enforce: {} }\n${marked('after')}`);
      must(forced.exit === 1, 'the run has failed', said(forced));
      must(
        /could not be reached over a new connection within 60 s: it has put back what was there before/.test(forced.stdout),
        'why',
        said(forced),
      );
      const mode = await target.shell('cat /sys/fs/selinux/enforce; ls /srv');
      must(mode === '0\n' || mode === '0', 'the host can be reached, and nothing was done behind it', mode);
    },
  },
];

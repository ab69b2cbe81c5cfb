import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, must } from '../fault.ts';
import { held, type Target } from '../target.ts';

const names = ['one', 'two', 'three', 'four', 'five'];
const once = names.flatMap((name) => [`begin ${name}`, `end ${name}`]);

/** As an undisturbed run leaves it: each step once, the handler once, no lock, nothing running. */
function undisturbed(target: Target): void {
  const marks = target.shell('cat /srv/marks').trim().split('\n');
  must(JSON.stringify(marks) === JSON.stringify(once), 'each step runs exactly once', marks);
  must(target.shell('cat /srv/told') === 'told\n', 'the handler runs exactly once', target.shell('cat /srv/told'));
  const left = target.shell('ls /run/lvsctl; ls /var/lib/lvsctl/pending 2>/dev/null || :').trim();
  must(left === 'last', 'no lock, no run and no owed handler are left', left);
}

const tasks = names.map(held).join('');

const disturbed = (fault: string, tries: number, disturb: (target: Target) => Promise<void>): Fault => ({
  fault,
  holds: 'the run goes on by itself; each change runs exactly once',
  tries,
  async play(target) {
    const going = target.begin(tasks);
    const ended = going.ended.then(({ exit, stdout, stderr }) => must(exit === 0, 'the run ends well', `exit ${exit}: ${stdout}${stderr}`));
    await Promise.all([ended, disturb(target)]);
    undisturbed(target);
  },
});

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !holds(); await pause(20)) must(Date.now() < end, what, 'not within 60 s');
}

/** Lines on which sshd has begun something for somebody who had come in. */
const worked = (target: Target): number =>
  new Set([...target.log().matchAll(/Starting session: .* port (\d+)/g)].map(([, port]) => port)).size;

/** Does so to a line that is open, and waits until there is another one, and work on it. */
async function toTheLine(target: Target, act: () => void): Promise<void> {
  const before = worked(target);
  act();
  await until('the line is opened again', () => worked(target) > before);
}

const marked = (target: Target, mark: string): Promise<void> =>
  until(`the mark "${mark}"`, () => target.shell('cat /srv/marks 2>/dev/null || :').includes(`${mark}\n`));

/** The step is held until all that is to happen in the middle of it has. */
async function inMidStep(target: Target, name: string, act: () => void): Promise<void> {
  await marked(target, `begin ${name}`);
  await toTheLine(target, act);
  target.shell(`rm /srv/hold-${name}`);
}

const hold = (target: Target, some: readonly string[]): string =>
  target.shell(`touch ${some.map((name) => `/srv/hold-${name}`).join(' ')}`);

/** As soon as the first step begins, in the middle of each, and as soon as each has ended: each time it is an open line, and one that comes back. */
async function everywhere(target: Target): Promise<void> {
  hold(target, names);
  await marked(target, 'begin one');
  await toTheLine(target, target.proxy.cut);
  for (const name of names) {
    await inMidStep(target, name, target.proxy.cut);
    await marked(target, `end ${name}`);
    // Behind the last one only the handler is left: the run may be over before a line must be opened again.
    if (name === names.at(-1)) target.proxy.cut();
    else await toTheLine(target, target.proxy.cut);
  }
}

/** In the middle of the second step and of the last. */
async function silence(target: Target): Promise<void> {
  const some = ['two', 'five'];
  hold(target, some);
  for (const name of some) await inMidStep(target, name, target.proxy.freeze);
}

export const lineFaults: readonly Fault[] = [
  disturbed('TCP cut at every step boundary and in mid-step', 5, everywhere),
  disturbed('the line goes silent in mid-step', 3, silence),
  disturbed('the line trickles: 200 bytes at a time, 20 ms apart', 2, async ({ proxy }) => proxy.trickle(200, 20)),
  disturbed('the line is long: 400 ms each way', 2, async ({ proxy }) => proxy.delay(400)),
];

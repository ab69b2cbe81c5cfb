import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, must } from '../fault.ts';
import { marked, type Target } from '../target.ts';

const names = ['one', 'two', 'three', 'four', 'five'];
const tasks = names.map((name) => marked(name)).join('');
const once = names.flatMap((name) => [`begin ${name}`, `end ${name}`]);

/** As an undisturbed run leaves it: each step once, the handler once, no lock, nothing running. */
function undisturbed(target: Target): void {
  const marks = target.shell('cat /srv/marks').trim().split('\n');
  must(JSON.stringify(marks) === JSON.stringify(once), 'each step runs exactly once', marks);
  must(target.shell('cat /srv/told') === 'told\n', 'the handler runs exactly once', target.shell('cat /srv/told'));
  const left = target.shell('ls /run/lvsctl; ls /var/lib/lvsctl/pending 2>/dev/null || :').trim();
  must(left === 'last', 'no lock, no run and no owed handler are left', left);
}

const disturbed = (fault: string, tries: number, disturb: (target: Target, over: AbortSignal) => Promise<void>): Fault => ({
  fault,
  holds: 'the run goes on by itself; each change runs exactly once',
  tries,
  async play(target) {
    const going = target.begin(tasks);
    const over = new AbortController();
    const disturbing = disturb(target, over.signal);
    const { exit, stdout, stderr } = await going.ended;
    over.abort();
    await disturbing;
    must(exit === 0, 'the run ends well', `exit ${exit}: ${stdout}${stderr}`);
    undisturbed(target);
  },
});

/** Again and again, from when the first step runs until the handler has or the run is over. */
async function whileItRuns(target: Target, over: AbortSignal, act: () => void, every: number): Promise<void> {
  while (!over.aborted) {
    await pause(every);
    const [marks, told] = target.shell('for each in marks told; do [ ! -e "/srv/$each" ] || echo yes; echo; done').split('\n\n');
    if (told === 'yes') return;
    if (marks === 'yes') act();
  }
}

export const lineFaults: readonly Fault[] = [
  disturbed('TCP cut at every step boundary and in mid-step', 5, (target, over) => whileItRuns(target, over, target.proxy.cut, 150)),
  disturbed('the line goes silent in mid-step', 3, (target, over) => whileItRuns(target, over, target.proxy.freeze, 400)),
  disturbed('the line trickles: 200 bytes at a time, 20 ms apart', 2, async ({ proxy }) => proxy.trickle(200, 20)),
  disturbed('the line is long: 400 ms each way', 2, async ({ proxy }) => proxy.delay(400)),
];

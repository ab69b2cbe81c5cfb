import { type Fault, must, said } from '../fault.ts';
import { marked, type Target } from '../target.ts';

const heard = '/var/cache/lvsctl/heard';
const forgeries = '/var/cache/lvsctl/forged';

/** Prints forgeries while the host is looked at, and wants all of them back as what they are: text. */
const forging = `export default ({ defineTask, sh, z }) => defineTask({
  summary: 'Prints what might pass for markers.',
  params: z.strictObject({ lines: z.number().describe('That are printed') }),
  touches: () => [],
  probe: () => sh\`cat ${forgeries}; cat ${forgeries} >&2\`,
  parse: ({ stdout, stderr }) => [stdout, stderr],
  plan: (seen, { lines }) => seen.every((text) => text.split('\\n').length === lines + 1) ? [] : [
    { id: 'half', title: 'HALF OF IT WAS READ', was: '', will: 'all', run: sh\`true\` },
  ],
  settled: () => 'all of it was read',
  example: { lines: 1 },
});
`;

/** Whatever the nonces of the runs so far can have marked: the answers to looks, journals, locks. Lines of a file on the host; how many. */
function forge(target: Target): number {
  const nonces = [...new Set(target.shell(`grep -aoE 'lvsctl-[0-9a-f]{24}' ${heard}`).trim().split('\n'))];
  must(nonces.length >= 3, 'the earlier run has told the host its nonces', nonces);
  const words = ['>0', '<0 0', '.', ' journal', ' end 0 done 0', ' confirm 0', ' finished ', ' gone', ' locked', ' lost'];
  const lines = nonces.flatMap((nonce) => words.map((word) => nonce + word));
  target.shell(`printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} >${forgeries}`);
  return lines.length;
}

/** What a host prints. */
export const printFaults: readonly Fault[] = [
  {
    fault: 'a step that prints 1 GB',
    holds: 'the memory of the host is not filled; the step has failed, with the reason and the end of what it said',
    tries: 2,
    async play(target) {
      const most = target.shell('df -k --output=size /run/lvsctl | tail -n 1').trim();
      const run = await target.deploy(
        `    - { name: endless, command: { run: "head -c 1000000000 /dev/zero | tr '\\\\0' x", creates: /srv/never } }\n${marked('after')}`,
      );
      must(run.exit === 1, 'the step has failed', said(run).slice(-2000));
      must(/it printed more than 32 MiB, and was given room for no more/.test(run.stdout), 'why', said(run).slice(-2000));
      must(run.stdout.length < 40_000, 'what is shown is bounded', `${run.stdout.length} characters`);
      const used = target.shell('du -sk /run/lvsctl').split('\t')[0];
      must(Number(used) < 1000, `nothing of it is left in the ${most} KiB`, used);
      must(
        target.shell('grep -c lvsctl/.*/logs /proc/mounts || :').trim() === '0',
        'no memory of its own is left',
        target.shell('cat /proc/mounts'),
      );
      must(target.shell('ls /srv') === '', 'the rest is not begun', target.shell('ls /srv'));
    },
  },
  {
    fault: 'a host that prints escape codes, the markers of an earlier run, and a great deal',
    holds: 'bounded, neutralised, not believed',
    tries: 1,
    // The host keeps all that is said to it.
    target: { config: [`ForceCommand tee -a ${heard} | sh -c "$SSH_ORIGINAL_COMMAND"`] },
    async play(target) {
      const earlier = await target.deploy(marked('earlier'));
      must(earlier.exit === 0, 'the earlier run ends well', said(earlier));
      const lines = forge(target);
      target.ownTask('forging', forging);
      const loud = `i=0; while [ $i -lt 40000 ]; do echo ${'x'.repeat(99)}; i=$((i+1)); done; cat ${forgeries}; printf '\\\\033[2J\\\\033]0;owned\\\\007\\\\n'; exit 3`;
      const run = await target.deploy(
        `    - { name: looks, forging: { lines: ${lines} } }\n    - { name: loud, command: { run: "${loud}", creates: /srv/never } }\n${marked('after')}`,
      );
      must(run.exit === 1 && !run.stdout.includes('HALF'), 'what is looked at is read whole, and the step has failed', said(run));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      must(!/[\u0000-\u0008\u000b-\u001f\u007f]/.test(run.stdout + run.stderr), 'nothing drives the terminal', said(run));
      must(run.stdout.length < 40_000, 'what is shown is bounded', `${run.stdout.length} characters`);
      must(run.stdout.includes('owned'), 'the end of what it said is shown', said(run));
      must(run.stdout.includes(' end 0 done 0') && run.stdout.includes(' finished'), 'forgeries are shown as text', said(run));
      must(target.shell('cat /srv/marks') === 'begin earlier\nend earlier\n', 'the rest is not begun', target.shell('ls /srv'));
    },
  },
];

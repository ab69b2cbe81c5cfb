import { posix } from 'node:path';
import { type Fault, must, said } from '../fault.ts';
import { marked, type Run, type Target } from '../target.ts';

/** Lets nobody in any more; how it was is put back by the host itself. */
const cut = `export default ({ defineTask, sh, z }) => defineTask({
  summary: 'Shuts everybody out.',
  params: z.strictObject({ port: z.number().describe('Of sshd') }),
  touches: () => ['firewall:input'],
  probe: ({ port }) => sh\`iptables -C INPUT -p tcp --dport \${String(port)} -j DROP 2>/dev/null && echo cut || :\`,
  parse: ({ stdout }) => stdout.trim(),
  plan: (seen, { port }) => seen === 'cut' ? [] : [{
    id: 'cut', title: 'cut ssh', was: 'open\\n', will: 'cut\\n', risk: 'lockout',
    run: sh\`iptables -I INPUT -p tcp --dport \${String(port)} -j DROP\`,
    undo: sh\`iptables -D INPUT -p tcp --dport \${String(port)} -j DROP\`,
  }],
  settled: () => 'it is cut',
  example: { port: 22 },
});
`;

/** To the last byte. */
const filled = (folder: string) => ({
  spoil: `dd if=/dev/zero of=${folder}/fill bs=64k 2>/dev/null || :`,
  mend: `rm ${folder}/fill`,
});

/** An /etc of the host's own, which may be made what it likes. */
const ownEtc = 'mount -t tmpfs none /mnt && cp -a /etc /mnt/etc && mount --bind /mnt/etc /etc || exit 70';

export const hostFaults: readonly Fault[] = [
  {
    fault: 'a firewall change that cuts ssh',
    holds: 'the host puts itself back within the timer; the run has failed, with the reason',
    tries: 2,
    async play(target) {
      target.ownTask('cut', cut);
      const run = await target.deploy(`    - { name: cut, cut: { port: ${target.port} } }\n${marked('after')}`);
      must(run.exit === 1, 'the run has failed', said(run));
      must(
        /could not be reached over a new connection within 60 s: it has put back what was there before/.test(run.stdout),
        'why',
        said(run),
      );
      const after = await target.deploy(marked('later'));
      must(after.exit === 0, 'the host can be reached again', said(after));
      must(target.shell('cat /srv/marks').trim() === 'begin later\nend later', 'nothing was done behind the cut', said(run));
    },
  },
  {
    fault: 'no space in /run',
    holds: 'a clear error; nothing is begun; as soon as there is space, the same command does it',
    tries: 2,
    play: (target) =>
      without(
        target,
        'dd if=/dev/zero of=/run/lvsctl/fill bs=64k 2>/dev/null || :',
        'rm /run/lvsctl/fill',
        /no space left|cannot be locked/i,
      ),
  },
  {
    fault: 'the disk is full where a file is written',
    holds: 'a clear error for that host, the other is done; the file there before is whole; once there is space, the same command does it',
    tries: 2,
    target: { beside: true },
    play: (target) => wholeFile(target, { ...filled('/srv'), says: /could not be written whole: 0 KiB are free/ }),
  },
  {
    fault: 'the disk is full where what was there before is kept (/var)',
    holds:
      'a clear error for that host, the other is done; nothing is changed; once there is space, the same command does it, and a rollback undoes it',
    tries: 2,
    target: { beside: true },
    async play(target) {
      await wholeFile(target, { ...filled('/var/lib/lvsctl'), says: /how it was before cannot be kept, so nothing is changed/ });
      const back = await target.run(['rollback'], '--limit', 'web1', '--yes');
      must(back.exit === 0 && target.shell('cat /srv/file') === 'before\n', 'what was kept in the end is whole', said(back));
    },
  },
  {
    fault: 'the file system is read-only',
    holds:
      'a clear error for that host, the other is done; the file there before is whole; once it can be written, the same command does it',
    tries: 2,
    target: { beside: true },
    play: (target) =>
      wholeFile(target, { spoil: 'mount -o remount,ro /srv', mend: 'mount -o remount,rw /srv', says: /read-only file system/i }),
  },
  {
    fault: '/etc is read-only',
    holds:
      'a clear error for that host, the other is done; the file there before is whole; once it can be written, the same command does it',
    tries: 2,
    target: { beside: true, prepare: ownEtc },
    play: (target) =>
      wholeFile(target, {
        path: '/etc/faults/file',
        spoil: 'mount -o remount,ro,bind /etc',
        mend: 'mount -o remount,rw,bind /etc',
        says: /read-only file system/i,
      }),
  },
  {
    fault: 'the host has another key',
    holds: 'refused before anything is sent, with what to do',
    tries: 1,
    async play(target) {
      target.know(target.newKey('another'));
      const run = await target.deploy(marked('one'));
      must(run.exit === 5, 'nothing is done', said(run));
      must(
        /is not the known one.*somebody may be in between; if the host was reinstalled, remove line 1 of/.test(run.stdout),
        'why, and what to do',
        said(run),
      );
      must(target.shell('ls /srv') === '', 'nothing is touched', target.shell('ls /srv'));
    },
  },
];

/** A run on a host to which something has happened, and again when it is mended. */
async function without(target: Target, spoil: string, mend: string, says: RegExp): Promise<void> {
  // There must be something that a lock and a run can be made in.
  await target.deploy(marked('zero'));
  target.shell(spoil);
  const run = await target.deploy(marked('zero') + marked('one'));
  must(run.exit !== 0 && run.exit !== null, 'it does not pass for done', said(run));
  must(says.test(run.stdout + run.stderr), 'why', said(run));
  must(!/defect of lvsctl/.test(run.stderr), 'it is an error like any other', said(run));
  must(target.shell('cat /srv/marks') === 'begin zero\nend zero\n', 'nothing is begun', target.shell('cat /srv/marks'));
  target.shell(mend);
  const again = await target.deploy(marked('zero') + marked('one'));
  must(again.exit === 0, 'the same command does it', said(again));
  must(
    target.shell('cat /srv/marks') === 'begin zero\nend zero\nbegin one\nend one\n',
    'each step is run once',
    target.shell('cat /srv/marks'),
  );
}

/** What spoils a host, what mends it, and what must be said meanwhile. */
interface Spoilt {
  /** File that is written; in /srv unless said. */
  readonly path?: string;
  readonly spoil: string;
  readonly mend: string;
  readonly says: RegExp;
}

/** A file on web1, which is spoilt, and on web2, which is not. */
async function wholeFile(target: Target, { path = '/srv/file', spoil, mend, says }: Spoilt): Promise<void> {
  const write = (content: string): Promise<Run> =>
    target.deploy(`    - { name: a file, file: { path: ${path}, content: "${content}\\n" } }\n`, '--limit', 'backends', '--serial', '100%');
  const folder = posix.dirname(path);
  for (const shell of [target.shell, target.shellBeside]) shell(`mkdir -p ${folder}`);
  const before = await write('before');
  must(before.exit === 0, 'the file is there', said(before));
  target.shell(spoil);
  const run = await write('after'.repeat(2000));
  must(run.exit === 1, 'the step has failed', said(run));
  must(says.test(run.stdout), 'why', said(run));
  must(target.shell(`cat ${path}`) === 'before\n', 'the file is as it was', target.shell(`head -c 100 ${path}`));
  must(target.shellBeside(`cat ${path}`) === `${'after'.repeat(2000)}\n`, 'the other host is done', said(run));
  target.shell(mend);
  const again = await write('after'.repeat(2000));
  must(again.exit === 0, 'the same command does it', said(again));
  must(target.shell(`cat ${path}`) === `${'after'.repeat(2000)}\n`, 'the file is the new one', target.shell(`head -c 100 ${path}`));
  must(target.shell(`ls -A ${folder}`) === 'file\n', 'nothing else is left', target.shell(`ls -A ${folder}`));
}

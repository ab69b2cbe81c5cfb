import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, must, said } from '../fault.ts';
import { playbook, type Run, type Target } from '../target.ts';

const tasks = (text: string): string => `    - { name: folder, directory: { path: /srv/private, mode: "0700" } }
    - { name: file, copy: { dest: /srv/private/file, content: "${text}\\n", mode: "0600" } }
    - { name: line, line_in_file: { path: /srv/private/lines, line: "more", create: true } }
    - { name: command, command: { run: "touch /srv/private/done", creates: /srv/private/done } }
    - { name: refuses, command: { run: "touch /srv/private/tested", unless: "test -e /srv/private/tested || exit 126" } }
`;

const everything = 'deploy ALL=(ALL:ALL) NOPASSWD: ALL';

interface Told {
  readonly batches?: unknown;
  readonly checks?: readonly { readonly id: string; readonly status: string; readonly host: string; readonly found: string }[];
}

const told = ({ stdout }: Run): Told => JSON.parse(stdout) as Told;

/** What follows its one argument of a rule's own is all that sudo knows of. */
function allow(target: Target, rules: string): void {
  writeFileSync(join(target.folder, 'rules'), rules);
  target.shell(
    `mkdir -p /etc/sudoers.d && install -m 440 ${join(target.folder, 'rules')} /etc/sudoers.d/lvsctl-reader && visudo -cqf /etc/sudoers`,
  );
}

/** As the account, on the host, without lvsctl. */
const tries = (target: Target, words: string): string =>
  target.shell(`setpriv --reuid deploy --regid deploy --clear-groups -- sh -c '${words} 2>&1; echo "exit $?"'`);

export const readerFaults: readonly Fault[] = [
  {
    fault: 'an account that may look and do nothing else',
    holds: 'plan and verify find with it what root finds, --diff too; what is not on its list is not read, and nothing is changed',
    tries: 1,
    target: { account: { sudoers: ['@includedir /etc/sudoers.d'] } },
    async play(target) {
      const book = join(target.folder, 'reader.yaml');
      writeFileSync(book, playbook(tasks('one')));
      const here = ['--limit', 'web1', '--playbook', book];
      const list = await target.run(['sudoers'], '--user', 'deploy', ...here);
      const checks = await target.run(['sudoers'], '--user', 'deploy', '--limit', 'web1');
      must(list.exit === 0 && list.stderr === '' && checks.exit === 0, 'the list is made', said(list) + said(checks));
      allow(target, everything);
      const made = await target.deploy(tasks('other'));
      must(made.exit === 0, 'a deploy by who may do everything', said(made));
      target.shell('rm /srv/private/tested');
      const plan = () => target.run(['plan'], ...here, '--json', '--diff');
      const looks = () => target.run(['plan'], ...here, '--json', '--diff', '--reader', 'deploy');
      const verify = (...as: readonly string[]) => target.run(['verify'], '--limit', 'web1', '--json', ...as);
      const [root, judged] = [await plan(), await verify()];
      must(root.exit === 2 && root.stdout.includes('+one'), 'root sees that a file differs, and how', said(root));

      allow(target, '');
      const unlisted = await target.run(['plan'], ...here, '--reader', 'deploy');
      must(
        unlisted.exit === 5 && /password is required; "lvsctl sudoers INVENTORY/.test(unlisted.stdout),
        'a host without a list',
        said(unlisted),
      );

      allow(target, list.stdout);
      const look = await looks();
      must(look.exit === 2, 'the reader sees it too', said(look));
      must(JSON.stringify(told(look).batches) === JSON.stringify(told(root).batches), 'the plan is the same', `${said(look)}${said(root)}`);
      const changed = await target.run(['deploy'], ...here, '--yes');
      must(changed.exit === 5 && target.shell('cat /srv/private/file') === 'other\n', 'nothing can be changed', said(changed));

      writeFileSync(book, playbook(tasks('one').replaceAll('/srv/private/done', '/etc/shadow')));
      const other = await target.run(['plan'], ...here, '--reader', 'deploy');
      must(
        other.exit === 5 && /deploy may not read 1 of the 7 things.*lvsctl sudoers INVENTORY/.test(other.stdout),
        'a playbook that asks for more',
        said(other),
      );
      for (const words of ['sudo -n cat /etc/shadow', 'sudo -n sh -c id', 'sudo -n sh', 'sudo -n -i'])
        must(/a password is required[\s\S]*exit 1\n$/.test(tries(target, words)), `refused: ${words}`, tries(target, words));
      const command = /NOPASSWD: (.*)/.exec(list.stdout)?.[1]?.replaceAll('\\', '') ?? '';
      const program = command.replace('/bin/sh -c ', '');
      writeFileSync(
        join(target.folder, 'ask'),
        `printf "%s\\n" nonce "$(echo "cat /etc/shadow" | base64)" | sudo -n /bin/sh -c '${program}' 2>&1`,
      );
      const asked = target.shell(`setpriv --reuid deploy --regid deploy --clear-groups -- sh ${join(target.folder, 'ask')}`);
      must(asked.includes('nonce<0 256') && !asked.includes('root:'), 'shell text of their own is not evaluated', asked);

      allow(target, checks.stdout);
      const verified = await verify('--reader', 'deploy');
      const found = (run: Run): string => JSON.stringify(told(run).checks?.map(({ id, status, host, found }) => [id, status, host, found]));
      must(verified.exit === judged.exit && found(verified) === found(judged), 'verify finds the same', found(verified) + found(judged));
    },
  },
];

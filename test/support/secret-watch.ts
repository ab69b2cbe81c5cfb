/** Looks on the lab's machines for a secret that must not be there: all the time in processes, on demand in files and in the journal. */
import { quote } from '../../src/sh/sh.ts';
import { lvsctl } from './cli.ts';

export interface SecretWatch {
  /** `HOST: WHERE` of every place in which the secret was seen since the watch began, or lies now. */
  readonly found: () => Promise<readonly string[]>;
}

const start = `umask 077
mkdir /root/watch && cd /root/watch && cat >secret
: >seen
cat >watch <<'end'
while sleep 3; do grep -lsaF -f secret /proc/[0-9]*/cmdline /proc/[0-9]*/environ >>seen; done
end
systemd-run --quiet --unit=secret-watch --working-directory=/root/watch /bin/sh watch
# A process that has it must be seen, or the watch would prove nothing.
env LEAK="$(cat secret)" sleep 5
sleep 4
[ -s seen ] || { echo 'the watch sees nothing' >&2; exit 1; }
: >seen
`;

const look = `cd /root/watch
systemctl is-active --quiet secret-watch || echo 'the watch is gone'
sort -u seen
journalctl --no-pager --output=export | grep -qaF -f secret && echo journal
grep -rlsaF -D skip -f secret /run /var /etc /tmp /home /usr/local
exit 0
`;

/** Throws when the watch does not see a secret that is planted. */
export async function watchForSecret(inventory: string, secret: string): Promise<SecretWatch> {
  // On a machine the words of a command come on stdin: they are not in any process's arguments.
  const { exit, stderr } = await exec(inventory, `printf '%s' ${quote(secret)} | { ${start}}`);
  if (exit !== 0) throw new Error(stderr);
  return {
    async found() {
      const { stdout, stderr } = await exec(inventory, look);
      return `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
    },
  };
}

const exec = (inventory: string, command: string) => lvsctl('lab', 'exec', inventory, 'all', '--', command);

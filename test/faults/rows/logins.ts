import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { password } from '../../support/own-etc.ts';
import { type Fault, must, said } from '../fault.ts';
import { address, marked, type Target, type TargetOptions } from '../target.ts';

const rule = 'deploy ALL=(ALL:ALL) ALL';
const noisy = 'echo welcome; echo careful >&2; printf "no newline"; printf "none here" >&2\n';

/** A deploy does what it is to do, whatever stands between. */
const works = (fault: string, target: TargetOptions): Fault => ({
  fault,
  holds: 'works',
  tries: 2,
  target: { ...target, env: { LVSCTL_SUDO_PASSWORD: password } },
  async play(target) {
    const run = await target.deploy(marked('one') + marked('two'));
    must(run.exit === 0, 'the deploy ends well', said(run));
    const marks = target.shell('cat /srv/marks; stat -c %U /srv/one');
    must(marks === 'begin one\nend one\nbegin two\nend two\nroot\n', 'each step is done once, as root', marks);
  },
});

/** Nothing is done, and one line says why and what to do. */
const refused = (fault: string, says: RegExp, options: TargetOptions, arrange?: (target: Target) => Promise<() => void>): Fault => ({
  fault,
  holds: 'refused with one clear line; nothing is touched',
  tries: 1,
  target: options,
  async play(target) {
    const over = await arrange?.(target);
    const run = await target.deploy(marked('one')).finally(() => over?.());
    must(run.exit === 5, 'nothing is done', said(run));
    const lines = run.stdout.split('\n').filter((line) => says.test(line));
    must(lines.length === 1, `one line says why: ${says}`, said(run));
    must(!/defect of lvsctl/.test(run.stderr), 'it is an error like any other', said(run));
    must(target.shell('ls -A /srv') === '', 'nothing is touched', target.shell('ls -A /srv'));
  },
});

/** An agent that has the key, and does not give it away: it is locked. */
async function lockedAgent(target: Target): Promise<() => void> {
  const socket = join(target.folder, 'agent.sock');
  const agent = spawn('setpriv', ['--pdeathsig', 'TERM', 'ssh-agent', '-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(agent.stdout, 'data');
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  execFileSync('ssh-add', ['-q', join(target.folder, 'client_key')], { env, stdio: 'ignore' });
  // It asks for the word of the lock twice.
  const word = join(target.folder, 'word');
  writeFileSync(word, '#!/bin/sh\necho word\n', { mode: 0o755 });
  execFileSync('ssh-add', ['-x'], { env: { ...env, SSH_ASKPASS: word, SSH_ASKPASS_REQUIRE: 'force' }, stdio: 'ignore' });
  return () => void agent.kill();
}

/** The host shows a certificate of this validity, beside its key. */
const certified = (validity: string): string => `rm -f "$dir"/authority*
ssh-keygen -q -t ed25519 -N "" -f "$dir/authority"
ssh-keygen -q -s "$dir/authority" -h -I web1 -n ${address} -V ${validity} "$dir/host_ed25519.pub"
echo "HostCertificate $dir/host_ed25519-cert.pub" >>"$dir/sshd_config"`;

/** What OpenSSH's own client says to the host, past the proxy: that a certificate is what the row takes it for. */
function sshSays(target: Target, what: RegExp, ...options: readonly string[]): void {
  const words = ['BatchMode=yes', ...options].flatMap((option) => ['-o', option]);
  const login = ['-F', 'none', '-i', join(target.folder, 'client_key'), '-p', String(target.port), '127.0.0.1', 'echo in'];
  const { stdout, stderr } = spawnSync('ssh', [...words, ...login], { encoding: 'utf8' });
  must(what.test(stdout + stderr), `ssh says ${what}`, stdout + stderr);
}

/** The control machine trusts the authority alone. */
const authorityAlone =
  (sees: RegExp) =>
  async (target: Target): Promise<() => void> => {
    const key = readFileSync(join(target.folder, 'authority.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    target.know(key, '@cert-authority ');
    const known = join(target.folder, 'known');
    writeFileSync(known, `@cert-authority * ${key}\n`);
    sshSays(target, sees, 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${known}`, `HostKeyAlias=${address}`);
    return () => {};
  };

/** Whoever has a certificate of its authority is let in; the control machine has one that has run out, beside its key. */
const expiredUser = `rm -f "$dir"/authority* "$dir/authorized_keys"
ssh-keygen -q -t ed25519 -N "" -f "$dir/authority"
ssh-keygen -q -s "$dir/authority" -I somebody -n root -V 20200101:20200102 "$dir/client_key.pub"
echo "TrustedUserCAKeys $dir/authority.pub" >>"$dir/sshd_config"`;

/** sshd says what is wrong with the user's certificate in its log alone. */
async function outOfDate(target: Target): Promise<() => void> {
  sshSays(target, /Permission denied/, 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null');
  const expired = (): boolean => /Certificate invalid: expired/.test(target.log());
  for (const end = Date.now() + 5000; !expired() && Date.now() < end; ) await pause(50);
  must(expired(), 'sshd finds the certificate expired', target.log());
  return () => {};
}

export const loginFaults: readonly Fault[] = [
  works('sudo with a password on a terminal of its own (use_pty), a message of the day and a noisy .bashrc', {
    account: { sudoers: ['Defaults use_pty', rule], bashrc: noisy },
  }),
  works('sudo without a password, where one was given', { account: { sudoers: ['deploy ALL=(ALL:ALL) NOPASSWD: ALL'] } }),
  works('no bash on the host', { account: { shell: '/bin/dash', sudoers: [rule] }, prepare: 'mount --bind /dev/null /bin/bash' }),
  works('a login shell of another kind (csh)', { account: { shell: '/bin/csh', sudoers: [rule] } }),
  works('a login shell of another kind (fish)', { account: { shell: '/usr/bin/fish', sudoers: [rule] } }),
  refused('a wrong password for sudo, asked for twice', /sudo does not accept the password of deploy/, {
    account: { sudoers: [rule] },
    env: { LVSCTL_SUDO_PASSWORD: 'wrong' },
  }),
  refused('sudo wants a terminal (requiretty)', /you must have a tty to run sudo/, {
    account: { sudoers: ['Defaults requiretty', rule] },
    env: { LVSCTL_SUDO_PASSWORD: password },
  }),
  refused('no rights for sudo', /deploy is not in the sudoers file/, { account: {}, env: { LVSCTL_SUDO_PASSWORD: password } }),
  refused('an agent that refuses', /does not let root in; tried: agent .*put a public key of yours/, { byAgent: true }, lockedAgent),
  refused(
    'a host certificate that has expired',
    /trusts an authority for it, and lvsctl cannot check certificates; compare the fingerprint with the host's, then add this line beside it: /,
    { prepare: certified('20200101:20200102') },
    authorityAlone(/Certificate invalid: expired/),
  ),
  refused(
    'a host certificate that is good, and cannot be checked',
    /trusts an authority for it, and lvsctl cannot check certificates; compare the fingerprint with the host's, then add this line beside it: /,
    { prepare: certified('always:forever') },
    authorityAlone(/^in$/m),
  ),
  refused(
    'a user certificate that has expired',
    /does not let root in; tried: .*put a public key of yours/,
    { prepare: expiredUser },
    outOfDate,
  ),
];

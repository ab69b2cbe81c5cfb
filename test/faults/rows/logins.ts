import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { password } from '../../support/own-etc.ts';
import { type Fault, must, said } from '../fault.ts';
import { marked, type Target, type TargetOptions } from '../target.ts';

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

/** The host shows a certificate that ran out yesterday, and the control machine trusts its authority alone. */
async function authorityAlone(target: Target): Promise<() => void> {
  target.know(target.newKey('authority'), '@cert-authority ');
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
    'a host certificate that cannot be checked, or has expired',
    /trusts an authority for it, and lvsctl cannot check certificates/,
    {},
    authorityAlone,
  ),
];

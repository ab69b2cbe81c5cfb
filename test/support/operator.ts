/**
 * An operator as there are many: no root login, sudo with a password, the cluster behind a bastion, and ~/.ssh/config to say so. The
 * operator's own network knows the bastion and nothing else: what reaches a machine of the lab has gone through it.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/apply/artefacts/store.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { labDirectory, labName, namespaceOf } from '../../src/lab/places.ts';
import { run } from '../../src/machine/run.ts';
import { quote } from '../../src/sh/sh.ts';
import { type Cli, type CliResult, cliIn, command, lvsctl } from './cli.ts';
import { password, passwordHash, startSshdWithAccount } from './own-etc.ts';
import { makeKey, type Sshd } from './sshd.ts';
import { typed } from './typed.ts';

export const operatorName = 'ops';

const bastionAddress = '192.0.2.2';

export interface Operator extends Cli {
  /** The same without the password in the environment: it is typed at the prompt. The terminal's screen is `stdout`. */
  readonly lvsctlAsking: (...words: readonly string[]) => Promise<CliResult>;
  /** The same as somebody who has no ~/.ssh/config. */
  readonly stranger: Cli;
  readonly home: string;
  /** All that lvsctl has printed so far. */
  readonly heard: () => string;
  readonly leave: () => Promise<void>;
}

/** Makes the account on every machine of the lab that is up, the bastion, and the operator's home. */
export async function becomeOperator(inventory: string): Promise<Operator> {
  const name = labName(loadInventory(inventory).fleet);
  const home = mkdtempSync(join(tmpdir(), 'lvsctl-operator-'));
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  const network = `${namespaceOf(name)}-office`;
  await joinNetworks(network, namespaceOf(name));
  const bastion = await startBastion(namespaceOf(name));
  await makeAccounts(inventory, makeKey(join(home, '.ssh', 'cluster'), 'ed25519'));
  configure(home, bastion, join(labDirectory(name), 'known_hosts'));
  const heard: string[] = [];
  const hear = (text: string): void => void heard.push(text);
  const startedBy = ['ip', 'netns', 'exec', network];
  const env = { HOME: home, SSH_AUTH_SOCK: '', LVSCTL_CACHE: openStore().directory };
  const asking = async (...words: readonly string[]): Promise<CliResult> => {
    const result = await typed([...startedBy, ...command, ...words, '-K'], { ...process.env, ...env }, 'sudo password: ', password);
    hear(`${result.stdout}${result.stderr}`);
    return result;
  };
  return {
    ...cliIn({ startedBy, env: { ...env, LVSCTL_SUDO_PASSWORD: password }, hear }),
    lvsctlAsking: asking,
    stranger: cliIn({ startedBy, env: { ...env, HOME: '/nonexistent' }, hear }),
    home,
    heard: () => heard.join(''),
    leave: async () => {
      await bastion.stop();
      await run('ip', ['netns', 'delete', network]);
      rmSync(home, { recursive: true });
    },
  };
}

/** A cable from the bastion to a network in which there is nothing else; no way leads from there into the lab. */
async function joinNetworks(network: string, lab: string): Promise<void> {
  await run('ip', ['netns', 'delete', network]).catch(() => undefined);
  await run('ip', ['netns', 'add', network]);
  const commands = ['link set lo up', `link add uplink type veth peer name office netns ${lab}`, 'address add 192.0.2.1/30 dev uplink'];
  await run('ip', ['-netns', network, '-batch', '-'], { input: `${[...commands, 'link set uplink up'].join('\n')}\n` });
  await run('ip', ['-netns', lab, '-batch', '-'], { input: `address add ${bastionAddress}/30 dev office\nlink set office up\n` });
}

/** It forwards and does nothing else. */
function startBastion(lab: string): ReturnType<typeof startSshdWithAccount> {
  return startSshdWithAccount({
    config: [`ListenAddress ${bastionAddress}`, 'PermitTTY no', 'ForceCommand /bin/false', 'X11Forwarding no'],
    startedBy: () => ['ip', 'netns', 'exec', lab],
  });
}

/** Key and password, and sudo for the password only. */
async function makeAccounts(inventory: string, publicKey: string): Promise<void> {
  const { exit, stderr } = await lvsctl(
    ...['lab', 'exec', inventory, 'all', '--'],
    `set -e
useradd --create-home --shell /bin/bash ${operatorName}
echo ${quote(`${operatorName}:${passwordHash}`)} | chpasswd --encrypted
install -d -m 700 -o ${operatorName} ~${operatorName}/.ssh
echo ${quote(publicKey)} >~${operatorName}/.ssh/authorized_keys
echo '${operatorName} ALL=(ALL:ALL) ALL' >/etc/sudoers.d/${operatorName}`,
  );
  if (exit !== 0) throw new Error(`no account for the operator: ${stderr}`);
}

function configure(home: string, bastion: Sshd & { readonly user: string }, labKnownHosts: string): void {
  copyFileSync(bastion.clientKeyFile, join(home, '.ssh', 'bastion'));
  writeFileSync(
    join(home, '.ssh', 'known_hosts.cluster'),
    `[${bastionAddress}]:${bastion.port} ${bastion.hostKeys.ed25519}\n${readFileSync(labKnownHosts, 'utf8')}`,
  );
  writeFileSync(
    join(home, '.ssh', 'config'),
    `Host bastion
  HostName ${bastionAddress}
  Port ${bastion.port}
  User ${bastion.user}
  IdentityFile ~/.ssh/bastion

Host dr* web* probe
  User ${operatorName}
  IdentityFile ~/.ssh/cluster
  ProxyJump bastion

Host *
  IdentitiesOnly yes
  UserKnownHostsFile ~/.ssh/known_hosts.cluster
  ConnectTimeout 30
`,
    { mode: 0o600 },
  );
}

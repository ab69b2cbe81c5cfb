/**
 * A value of its own in every place that takes a secret, through the whole program against a real sshd with passwords and sudo: none of
 * them is seen anywhere but in the file that is to hold it. Needs root; the network is one of its own, without a way out.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encryptAge } from '../../src/secrets/age.ts';
import { withOwn } from '../support/isolated-sshd.ts';
import { password, startSshdWithAccount } from '../support/own-etc.ts';
import type { Sshd } from '../support/sshd.ts';
import { makeHome } from '../support/sshd-trust.ts';
import { typed } from '../support/typed.ts';
import { encryptVault } from '../support/vault.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const network = `lvsctl-sentinel-${process.pid}`;
const address = '10.18.61.13';
const own = ['/run/lvsctl', '/var/lib/lvsctl', '/var/cache/lvsctl', '/var/log/lvsctl', '/srv'];

/** By the name of the secret: where its value comes from is in the name. */
const values = {
  env_vrrp: 'Zq7Xw9Kp',
  age_cluster: 'sentinel-cluster-Jx3',
  age_group: 'sentinel-group-"Qv8\'$(id)',
  age_host: 'sentinel-host-Lm5',
  age_play: 'sentinel-play-Rt2',
  age_file: 'sentinel-file-Hs6',
  cmd_run: 'sentinel-run-Wd4',
  cmd_line: 'sentinel-line-Nb1',
};
const passphrase = 'sentinel-key-Pf9';
const asked = 'sentinel-asked-Ug3';
const vaultPassword = 'sentinel-vault-Ye7';
/** Up to the first sign that JSON or a shell would write in another way. */
const sentinels = [...Object.values(values), password, passphrase, asked, vaultPassword].map((value) => value.replace(/["'\\$].*/, ''));

const inventory = (port: number, file: string): string => `cluster: sentinel
ssh: { user: deploy, port: ${port}, sudo: true }
vrrp: { id: 61, interface: eth0, auth_pass: !secret env_vrrp }
services:
  - { vip: 10.18.61.30, port: 80, scheduler: rr, backends: all }
directors:
  dr1: { address: 10.18.61.10, priority: 100 }
backends:
  web1: { address: ${address}, vars: { host: !secret age_host } }
secrets: { file: ${file} }
vars: { cluster: !secret age_cluster }
groups: { some: { hosts: [web1], vars: { group: !secret age_group } } }
`;

const all = '<%= vars.cluster %> <%= vars.group %> <%= vars.host %> <%= vars.play %> <%= vars.file %>';
const book = (more = ''): string => `- name: sentinel
  hosts: web1
  vars: { play: !secret age_play }
  tasks:
    - copy: { dest: /srv/auth, content: "auth_pass <%= fleet.vrrp.instances[0].authPass %>\\n" }
    - copy: { dest: /srv/vars, content: '${all}' }
    - template: { path: /srv/template, template: "host <%%= host.vars.host %> <%%= vars.file %>\\n", vars: { file: "<%= vars.file %>" }, mode: "0600" }
    - line_in_file: { path: /srv/line, line: !secret cmd_line, create: true }
    - command: { run: "printf %s '<%= vars.run %>' >/srv/run; sleep 1", creates: /srv/run }
      vars: { run: !secret cmd_run }
    - copy: { dest: /srv/old, content: "pass=<%= vars.play %>\\nstays\\n" }
    - line_in_file: { path: /srv/lines, regexp: "^drop ", state: absent }
    - query: { run: "cat /srv/vars; echo '<%= vars.host %>'" }
      register: said
    - command: { run: "echo <%= vars.play %> | cat >/srv/loud; cat /srv/loud; cat /srv/loud >&2", creates: /srv/loud }
${more}`;

let sshd: Sshd & { readonly user: string };
let home = '';
const heard: string[] = [];
/** `ARGUMENTS: SENTINEL` for each process whose arguments have held one. */
const processes = new Set<string>();
let looking = true;
let looked: Promise<void>;

async function watchProcesses(): Promise<void> {
  while (looking) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const line = argumentsOf(pid);
      for (const one of sentinels) if (line.includes(one)) processes.add(`${line.replaceAll('\0', ' ').slice(0, 200)}: ${one}`);
    }
    await setTimeout(5);
  }
}

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** All packets of the network from now on; the function ends that, and gives them. */
async function capture(): Promise<() => Promise<Buffer>> {
  const file = join(sshd.dir, 'packets');
  const options = ['--immediate-mode', '-i', 'lo', '-s', '0', '-U', '-Z', 'root', '-w', file];
  const child = spawn('ip', ['netns', 'exec', network, 'tcpdump', ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
  for (let said = ''; !said.includes('listening on'); ) said += String((await once(child.stderr, 'data'))[0]);
  return async () => {
    // What was sent last may still be on its way to the file.
    await setTimeout(500);
    child.kill('SIGINT');
    await once(child, 'close');
    return readFileSync(file);
  };
}

beforeAll(async () => {
  execFileSync('ip', ['netns', 'add', network]);
  execFileSync('ip', ['-netns', network, '-batch', '-'], { input: `link set lo up\naddress add ${address}/32 dev lo\n` });
  sshd = await startSshdWithAccount({
    config: [`ListenAddress ${address}`, 'PasswordAuthentication yes'],
    sudoers: ['deploy ALL=(ALL:ALL) ALL'],
    startedBy: (dir) => ['ip', 'netns', 'exec', network, ...withOwn(own), 'sh', '-c', `echo $$ >${dir}/pid; exec "$@"`, 'sh'],
  });
  home = makeHome(sshd.dir, '', [sshd.knownHostsLine.replaceAll('127.0.0.1', address)]);
  mkdirSync(join(home, '.config', 'lvsctl'), { recursive: true });
  const identity = await generateX25519Identity();
  writeFileSync(join(home, '.config/lvsctl/age.key'), `${identity}\n`, { mode: 0o600 });
  const { env_vrrp: _, cmd_line: __, cmd_run: ___, ...inFile } = values;
  writeFileSync(join(home, 's.age'), await encryptAge(JSON.stringify(inFile), { recipients: [await identityToRecipient(identity)] }));
  writeFileSync(join(home, 'vault.yml'), encryptVault(JSON.stringify(inFile), vaultPassword));
  writeFileSync(join(home, 'i.yaml'), inventory(sshd.port, 's.age'));
  writeFileSync(join(home, 'vault.yaml'), inventory(sshd.port, 'vault.yml'));
  writeFileSync(join(home, 'extra.yaml'), 'file: !secret age_file\n');
  writeFileSync(join(home, 'book.yaml'), book());
  writeFileSync(join(home, 'bad.yaml'), book('    - command: { run: "cat /srv/vars; cat /srv/auth >&2; exit 3", creates: /never }\n'));
  writeFileSync(join(home, 'more.yaml'), book('    - copy: { dest: /srv/asked, content: !secret asked }\n'));
  // What the password manager would know: outside of the home, where nothing is to be found.
  mkdirSync(join(sshd.dir, 'store'), { mode: 0o700 });
  for (const name of ['cmd_run', 'cmd_line'] as const) writeFileSync(join(sshd.dir, 'store', name), `${values[name]}\n`);
  writeFileSync(join(sshd.dir, 'store', 'vault-password'), `${vaultPassword}\n`);
  looked = watchProcesses();
}, 120_000);

afterAll(async () => {
  looking = false;
  await looked;
  await sshd.stop();
  spawnSync('ip', ['netns', 'delete', network]);
});

const words = [
  'ip',
  'netns',
  'exec',
  network,
  process.execPath,
  '--import',
  join(root, 'node_modules/tsx/dist/loader.mjs'),
  join(root, 'src/cli/main.ts'),
];
/** What is given beside that. */
const given: Record<string, string> = {};
const environment = (): Readonly<Record<string, string | undefined>> => ({
  ...{ PATH: process.env.PATH, HOME: home, NO_COLOR: '1', SSH_AUTH_SOCK: '' },
  ...{ LVSCTL_SECRET_ENV_VRRP: values.env_vrrp, LVSCTL_SECRETS_COMMAND: `cat ${sshd.dir}/store/{name}` },
  ...{ LVSCTL_LOGIN_PASSWORD: password, LVSCTL_SUDO_PASSWORD: password },
  ...given,
});

async function lvsctl(
  verb: string,
  file: string,
  ...more: readonly string[]
): Promise<{ readonly exit: number | null; readonly said: string }> {
  const [program = '', ...rest] = [...words, ...verb.split(' '), file, '--limit', 'web1', ...more];
  const child = spawn(program, rest, { cwd: home, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const [exit] = (await once(child, 'close')) as [number | null];
  heard.push(said);
  return { exit, said };
}
const inHome = (line: readonly string[]): readonly string[] => ['sh', '-c', 'cd "$HOME" && exec "$@"', 'sh', ...line];
const withBook = (name: string): readonly string[] => ['-p', join(home, name), '-e', `@${join(home, 'extra.yaml')}`];

/** Files below the folders, on the control machine or the host, that hold a sentinel. */
function filesWith(folders: readonly string[], onHost: boolean): readonly string[] {
  const patterns = sentinels.flatMap((one) => ['-e', one]);
  const inHost = onHost ? ['nsenter', '-t', readFileSync(join(sshd.dir, 'pid'), 'utf8').trim(), '-m', '--'] : [];
  // The patterns are arguments of grep: nobody looks at processes any more by then.
  const [program = '', ...rest] = [...inHost, 'grep', '-rlaFs', ...patterns, ...folders];
  return spawnSync(program, rest, { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .sort();
}

const onHost = (...line: readonly string[]): string =>
  execFileSync('nsenter', ['-t', readFileSync(join(sshd.dir, 'pid'), 'utf8').trim(), '-m', '--', ...line], { encoding: 'utf8' });

test('what is planned, done, done again, fails, is asked for and is remembered', async () => {
  // Without this, nothing would show that the watch sees.
  await once(spawn('sh', ['-c', 'sleep 0.5; :', values.age_host]), 'close');
  expect(processes.size).toBeGreaterThan(0);
  processes.clear();
  const shown = await capture();
  await once(
    spawn('ip', ['netns', 'exec', network, 'bash', '-c', 'echo "$1" >"/dev/udp/$2"', 'bash', values.age_host, `${address}/9`]),
    'close',
  );
  const clear = await shown();
  expect(sentinels.filter((one) => clear.includes(one))).toEqual([sentinels[Object.keys(values).indexOf('age_host')]]);
  await setTimeout(50);
  processes.clear();
  const packets = await capture();

  // What stands on the host already is in no slot's place: in a line that changes, and in lines that go.
  const there = [`password=${values.age_play}`, `drop ${values.age_host}`, 'stays', ''].join('\n');
  writeFileSync(join(sshd.dir, 'old'), there);
  for (const name of ['old', 'lines']) onHost('cp', join(sshd.dir, 'old'), `/srv/${name}`);

  const planned = await lvsctl('plan', 'i.yaml', ...withBook('book.yaml'), '--diff', '-vvv', '--out', join(home, 'plan.json'));
  expect(planned).toMatchObject({ exit: 2, said: expect.stringContaining('[secret env_vrrp]') });
  expect(planned.said).toMatch(/-password=\[secret age_play\]\n.*-drop \[secret age_host\]/);
  expect((await lvsctl('plan', 'i.yaml', ...withBook('book.yaml'), '--json', '-vvv')).exit).toBe(2);
  expect(await lvsctl('deploy', 'i.yaml', ...withBook('book.yaml'), '--yes', '--diff', '-vvv')).toMatchObject({ exit: 0 });
  expect(await lvsctl('deploy', 'i.yaml', ...withBook('book.yaml'), '--yes', '--json', '-vvv')).toMatchObject({
    exit: 0,
    said: expect.stringContaining('"changed": 0'),
  });
  const failed = await lvsctl('deploy', 'i.yaml', ...withBook('bad.yaml'), '--yes', '-vvv');
  expect(failed).toMatchObject({ exit: 1, said: expect.stringContaining('[secret age_cluster]') });
  expect((await lvsctl('deploy', 'i.yaml', ...withBook('bad.yaml'), '--yes', '--json')).exit).toBe(1);
  // None of them is needed for that, and no playbook names them; nor would a program be asked.
  given.LVSCTL_SECRET_CMD_LINE = values.cmd_line;
  expect(await lvsctl('rollback', 'i.yaml', '--check')).toMatchObject({
    said: expect.stringMatching(/-pass=\[secret age_play\]\n[\s\S]*\+password=\[secret age_play\]\n.*\+drop \[secret age_host\]/),
  });
  await lvsctl('rollback', 'i.yaml', '--check', '--json', '-vvv');
  await lvsctl('teardown', 'i.yaml', '--check', '--diff', '-vvv');
  delete given.LVSCTL_SECRET_CMD_LINE;
  for (const verb of ['history', 'lock status', 'secrets list']) {
    await lvsctl(verb, 'i.yaml', '-v');
    await lvsctl(verb, 'i.yaml', '--json');
  }
  expect(heard.at(-1)).toContain('file: s.age');

  // A run that lacks one value ends before it calls.
  const before = sshd.log().length;
  expect(await lvsctl('deploy', 'i.yaml', ...withBook('more.yaml'), '--yes')).toMatchObject({
    exit: 4,
    said: expect.stringContaining('secret "asked" has no value'),
  });
  expect(sshd.log().length).toBe(before);

  const typing = [...words, 'deploy', 'i.yaml', '--limit', 'web1', ...withBook('more.yaml'), '--yes', '-vv'];
  const onTerminal = await typed(inHome(typing), environment(), 'value of secret asked', asked);
  heard.push(onTerminal.stdout, onTerminal.stderr);
  expect(onTerminal.exit).toBe(0);

  // The same from a vault, with a key whose passphrase is asked for.
  copyFileSync(sshd.clientKeyFile, join(home, '.ssh', 'id_ed25519'));
  spawnSync('ssh-keygen', ['-q', '-p', '-f', join(home, '.ssh', 'id_ed25519'), '-N', passphrase], { stdio: 'ignore' });
  await setTimeout(50);
  processes.clear(); // of ssh-keygen
  const { LVSCTL_LOGIN_PASSWORD: _, ...byKey } = environment();
  const vaultEnv = { ...byKey, ANSIBLE_VAULT_PASSWORD_FILE: join(sshd.dir, 'store', 'vault-password') };
  const vaulted = [...words, 'plan', 'vault.yaml', '--limit', 'web1', ...withBook('book.yaml'), '-vv'];
  const unlocked = await typed(inHome(vaulted), vaultEnv, 'passphrase of', passphrase);
  heard.push(unlocked.stdout, unlocked.stderr);
  expect(unlocked).toMatchObject({ exit: 0 });

  const sent = await packets();
  expect(sent.length).toBeGreaterThan(100_000);
  expect(sentinels.filter((one) => sent.includes(one))).toEqual([]);
  looking = false;
  await looked;
  expect([...processes]).toEqual([]);
  expect(sentinels.filter((one) => heard.join('').includes(one))).toEqual([]);
  expect(sentinels.filter((one) => sshd.log().includes(one))).toEqual([]);
  // What was there before the first run, for a host that is lost.
  expect(filesWith([home], false).filter((file) => !file.startsWith(join(home, '.cache/lvsctl/before/')))).toEqual([]);
  const wanted = ['asked', 'auth', 'line', 'lines', 'loud', 'old', 'run', 'template', 'vars'].map((name) => `/srv/${name}`);
  const held = filesWith(['/srv', '/run', '/var/lib/lvsctl', '/var/cache/lvsctl', '/var/log/lvsctl', '/etc', '/root', '/dev/shm'], true);
  // What was there before stays in root's copies.
  expect(held.filter((file) => !/^\/var\/lib\/lvsctl\/(?:before|versions)\/.*\/copy$/.test(file))).toEqual(wanted);
  expect(onHost('cat', '/srv/vars')).toBe(
    [values.age_cluster, values.age_group, values.age_host, values.age_play, values.age_file].join(' '),
  );
}, 600_000);

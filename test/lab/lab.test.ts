/** The lab itself, on real kernels: what it boots, that this survives reboots and power cuts, and that nothing is left behind. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labDown } from '../../src/lab/down.ts';
import { ensureImage } from '../../src/lab/image.ts';
import { ensureKernel } from '../../src/lab/kernel.ts';
import { type Lab, labOf, power, rehearse } from '../../src/lab/lab.ts';
import { withLabLock } from '../../src/lab/lock.ts';
import { labDirectory, labName, namespaceOf } from '../../src/lab/places.ts';
import { processes } from '../../src/lab/processes.ts';
import { labStatus } from '../../src/lab/status.ts';
import { labUp } from '../../src/lab/up.ts';
import { runScript } from '../../src/transport/run-script.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import { labFleet, s0Hosts } from './rehearsal-fleet.ts';

const [dr1, , web1] = s0Hosts();
const fleet = labFleet(
  'lab.test.yaml',
  [dr1, web1].flatMap((host) => host ?? []),
);
let lab: Lab;

/** What a script on a machine of the lab prints. */
async function on(name: string, script: string): Promise<string> {
  const host = rehearse(fleet, lab).hosts.find((each) => each.name === name);
  if (!host) throw new Error(`no host ${name}`);
  const connection = await sshTransport({ knownHosts: [lab.knownHostsFile], dial: lab.dial }).connect(host);
  try {
    const { stdout, stderr } = await runScript(connection, script, { timeout: 300 });
    return `${stdout}${stderr}`;
  } finally {
    connection.close();
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 180_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 500))) if (await holds()) return;
  throw new Error(`not within three minutes: ${what}`);
}

const bootId = (name: string) => on(name, 'cat /proc/sys/kernel/random/boot_id');
const answers = async (name: string) => (await labStatus(fleet)).hosts.some((host) => host.host === name && host.answers);

/** All that a lab could leave on this machine. */
function leftOf(name: string): readonly string[] {
  const directory = labDirectory(name);
  const alive = processes().filter(({ arguments: words }) => words.some((word) => word.includes(directory)));
  const namespaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split(/\s+/)
    .filter((word) => word === namespaceOf(name));
  const files = existsSync(join(directory, '..')) ? readdirSync(join(directory, '..')).filter((file) => file.startsWith(name)) : [];
  const mounts = execFileSync('cat', ['/proc/mounts'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(directory));
  return [...alive.map(({ pid }) => `process ${pid}`), ...namespaces, ...files, ...mounts];
}

beforeAll(async () => {
  await labDown(fleet);
  lab = await labUp(fleet, () => {});
});

afterAll(async () => {
  await labDown(fleet);
});

describe('a machine of the lab', () => {
  test('is the inventory’s host: its name, its interfaces, its addresses, a whole Debian with systemd', async () => {
    const script =
      'hostname; ip -br address | awk "{print \\$1, \\$3}"; systemctl is-system-running --wait; . /etc/os-release; echo $VERSION_CODENAME';
    const seen = await on('dr1', script);
    expect(seen.split('\n')).toEqual(['dr1', 'lo 127.0.0.1/8', 'eth0 10.18.43.10/24', 'eth1 10.18.43.12/24', 'running', 'bookworm', '']);
  });

  test('is bare', async () => {
    expect(await on('web1', 'command -v keepalived ipvsadm nginx gcc; echo done')).toBe('done\n');
  });

  test('reaches its neighbours, and nothing else: the lab has no way out', async () => {
    expect(await on('web1', 'ping -c 1 -W 2 dr1 >/dev/null && ping -c 1 -W 2 10.18.43.12 >/dev/null && echo both')).toBe('both\n');
    const links = execFileSync('ip', ['-netns', namespaceOf(lab.name), '-br', 'link'], { encoding: 'utf8' });
    expect(
      links
        .trim()
        .split('\n')
        .map((line) => line.split(/[\s@]/)[0]),
    ).toEqual(['lo', 'br0', 'tap0.0', 'tap0.1', 'tap1.0']);
  });

  test('installs packages from the lab’s repository, and its kernel has IPVS', async () => {
    const install = 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y ipvsadm';
    expect(await on('dr1', `{ ${install}; } >/dev/null 2>&1 && modprobe -a ip_vs ip_vs_rr ip_vs_wrr ipip dummy && ipvsadm -Ln`)).toMatch(
      /^IP Virtual Server version/,
    );
  });

  test('gets nothing from the gateway but the repository, and cannot break it', async () => {
    const ask = (path: string) => `curl -s -o /dev/null -w '%{http_code} ' --path-as-is http://${lab.gateway}${path}`;
    const paths = ['/Packages', '/../base.img', '/%2e%2e/base.img', '/%', '/%00', '/', '/Packages'];
    expect(await on('web1', paths.map(ask).join('; '))).toBe('200 404 404 404 404 404 200 ');
  });

  test('shows in the status', async () => {
    const status = await labStatus(fleet);
    expect(status).toMatchObject({ up: true, gateway: true, hosts: [{ host: 'dr1', address: '10.18.43.10' }, { host: 'web1' }] });
    for (const host of status.hosts)
      expect(host).toMatchObject({ running: true, answers: true, pid: expect.any(Number), uptime: expect.any(Number) });
  });

  test('goes on when the lab is brought up again', async () => {
    const before = await bootId('dr1');
    expect(await labUp(fleet, () => {})).toMatchObject({ directory: lab.directory });
    expect(await bootId('dr1')).toBe(before);
  });
});

describe('disk and memory', () => {
  test('a reboot from inside comes back by itself, with the disk and without /run', async () => {
    const before = await bootId('dr1');
    await on('dr1', 'echo kept >/root/kept; echo gone >/run/gone; systemctl reboot');
    await until('dr1 has a new kernel', async () => (await answers('dr1')) && (await bootId('dr1').catch(() => before)) !== before);
    expect(await on('dr1', 'cat /root/kept; ls /run/gone 2>/dev/null; hostname; systemctl is-system-running --wait')).toBe(
      'kept\ndr1\nrunning\n',
    );
  });

  test('a power cut loses what was not on the disk, and power gives the same machine back', async () => {
    await on('dr1', 'echo safe >/root/kept; sync; echo gone >/run/gone');
    await power(lab, 'dr1', 'off');
    expect((await labStatus(fleet)).hosts).toMatchObject([
      { host: 'dr1', running: false, answers: false },
      { running: true, answers: true },
    ]);
    await power(lab, 'dr1', 'on');
    await until('dr1 answers', () => answers('dr1'));
    expect(await on('dr1', 'cat /root/kept; ls /run/gone 2>/dev/null; hostname')).toBe('safe\ndr1\n');
  });

  test('a machine that was shut down is started by the next up', async () => {
    await on('web1', 'systemctl poweroff');
    await until('web1 is off', async () => (await labStatus(fleet)).hosts.some(({ host, running }) => host === 'web1' && !running));
    await labUp(fleet, () => {});
    expect(await answers('web1')).toBe(true);
  });

  test('there is no power for a machine that is not there', async () => {
    await expect(power(lab, 'web9', 'off')).rejects.toMatchObject({ code: 'lab.unknown-host', exitCode: 4, hint: 'it has dr1, web1' });
  });
});

describe('bringing it up', () => {
  const other = labFleet('other.test.yaml', web1 ? [web1] : []);

  test('is for one process at a time', async () => {
    await withLabLock(labName(other), async () => {
      await expect(labUp(other, () => {})).rejects.toMatchObject({ code: 'lab.locked', exitCode: 6 });
    });
  });

  test('leaves nothing when it is interrupted', async () => {
    const stop = new AbortController();
    const up = labUp(other, ({ stage }) => stage === 'boot' && stop.abort(), stop.signal);
    await expect(up).rejects.toMatchObject({ exitCode: 130 });
    expect(leftOf(labName(other))).toEqual([]);
  });

  test('after a kill -9, the next up clears what was left and succeeds', async () => {
    const loader = createRequire(import.meta.url).resolve('tsx');
    const script = fileURLToPath(new URL('./killed-up.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', loader, script, other.file], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) if (line === 'boot') break;
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(leftOf(labName(other))).not.toEqual([]);
    await expect(labOf(other)).rejects.toMatchObject({ code: 'lab.not-up', exitCode: 4 });
    const stages: string[] = [];
    await labUp(other, ({ stage }) => stages.push(stage));
    expect(stages[0]).toBe('clear');
    await labDown(other);
    expect(leftOf(labName(other))).toEqual([]);
  });

  test('leaves no half image when it is interrupted, and clears what a killed build left', async () => {
    const kernel = await ensureKernel(() => {});
    const cache = mkdtempSync(join(tmpdir(), 'lvsctl-cache-'));
    const before = process.env.LVSCTL_CACHE;
    process.env.LVSCTL_CACHE = cache;
    mkdirSync(join(cache, 'lab', '.build-4194305.1-bookworm-0123456789abcdef', 'root'), { recursive: true });
    const stop = new AbortController();
    try {
      const build = ensureImage(fleet.lab, kernel, ({ doing }) => doing.startsWith('unpacks') && stop.abort(), stop.signal);
      await expect(build).rejects.toMatchObject({ exitCode: 130 });
      expect(readdirSync(join(cache, 'lab'))).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.LVSCTL_CACHE;
      else process.env.LVSCTL_CACHE = before;
      rmSync(cache, { recursive: true });
    }
  });
});

describe('without its gateway', () => {
  test('a lab is not up, and the next up makes a new one', async () => {
    const gateway = processes().find(({ arguments: words }) => words.includes('lvsctl-lab-gateway') && words.includes(lab.directory));
    process.kill(gateway?.pid ?? 0, 'SIGKILL');
    await until('the gateway is gone', async () => !(await labStatus(fleet)).gateway);
    await expect(labOf(fleet)).rejects.toMatchObject({ exitCode: 4, hint: expect.stringContaining(`lvsctl lab up ${fleet.file}`) });
    lab = await labUp(fleet, () => {});
    expect(await on('dr1', 'ls /root/kept 2>/dev/null; hostname')).toBe('dr1\n');
  });
});

describe('down', () => {
  test('leaves nothing, and is content when there is nothing', async () => {
    expect(await labDown(fleet)).toBe(true);
    expect(leftOf(lab.name)).toEqual([]);
    expect(await labDown(fleet)).toBe(false);
    await expect(labOf(fleet)).rejects.toMatchObject({ code: 'lab.not-up', exitCode: 4 });
  });
});

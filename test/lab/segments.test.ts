/** Both address families and several subnets on real kernels: who reaches whom, and who must not. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labDown } from '../../src/lab/down.ts';
import { type Lab, power, rehearse } from '../../src/lab/lab.ts';
import { namespaceOf } from '../../src/lab/places.ts';
import { labUp } from '../../src/lab/up.ts';
import type { Fleet, Nic } from '../../src/model.ts';
import { runScript } from '../../src/transport/run-script.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import { labFleet, labHost } from './rehearsal-fleet.ts';

const nic = (name: string, ...addresses: readonly string[]): Nic => ({ name, addresses });

/** A NAT cluster: clients outside, a backend inside, a director on both sides; and a backend that has IPv6 only. */
const hosts = [
  labHost('probe', 'client', nic('eth0', '172.16.0.50/24', 'fd79::50/64')),
  labHost('dr1', 'director', nic('eth0', '172.16.0.10/24', 'fd79::10/64'), nic('eth1', '10.0.0.10/24')),
  labHost('web1', 'backend', nic('eth0', '10.0.0.3/24')),
  labHost('six', 'backend', nic('eth0', 'fd79::3/64')),
];
const fleet: Fleet = { ...labFleet('segments.test.yaml', hosts, { memory: 256 }), vips: [], virtualAddresses: [] };
/** A VIP in no subnet: whoever asks for it is led to the director by the router. */
const beyond: Fleet = {
  ...labFleet(
    'beyond.test.yaml',
    [labHost('probe', 'client', nic('eth0', '172.16.0.50/24')), labHost('dr1', 'director', nic('eth0', '10.0.0.10/24'))],
    {
      memory: 256,
    },
  ),
  vips: ['203.0.113.30'],
  virtualAddresses: [{ address: '203.0.113.30', prefix: 32, interface: 'eth0' }],
};
let lab: Lab;

async function on(name: string, script: string, of = fleet): Promise<string> {
  const host = rehearse(of, lab).hosts.find((each) => each.name === name);
  if (!host) throw new Error(`no host ${name}`);
  const connection = await sshTransport({ knownHosts: [lab.knownHostsFile], dial: lab.dial, configFile: '' }).connect(host);
  try {
    const { stdout, stderr } = await runScript(connection, script, { timeout: 300 });
    return `${stdout}${stderr}`;
  } finally {
    connection.close();
  }
}

const reaches = (address: string): string => `ping -c 1 -W 2 ${address} >/dev/null 2>&1 && echo reaches || echo 'does not reach'; `;

beforeAll(async () => {
  await labDown(fleet);
  lab = await labUp(fleet, () => {});
});

afterAll(async () => {
  await labDown(fleet);
});

describe('IPv6', () => {
  test('is there as soon as the machine answers, beside IPv4 on the same interface', async () => {
    const addresses = `ip -o address show dev eth0 scope global | awk '{ print $3, $4 }'; ip -6 address show tentative scope global`;
    expect(await on('dr1', addresses)).toBe('inet 172.16.0.10/24\ninet6 fd79::10/64\n');
    expect(await on('six', addresses)).toBe('inet6 fd79::3/64\n');
  });

  test('is enough: ssh, neighbours and packages', async () => {
    expect(await on('six', reaches('fd79::50'))).toBe('reaches\n');
    expect(await on('six', 'apt-get update -q >/dev/null && apt-cache policy ipvsadm | grep -c http')).toBe('1\n');
    const ssh = ['ssh', '-i', lab.keyFile, '-o', `UserKnownHostsFile=${lab.knownHostsFile}`, '-o', 'StrictHostKeyChecking=yes'];
    const hostname = execFileSync('ip', [
      'netns',
      'exec',
      namespaceOf(lab.name),
      ...ssh,
      '-o',
      'BatchMode=yes',
      'root@fd79::3',
      'hostname',
    ]);
    expect(hostname.toString()).toBe('six\n');
  });

  test('outlives a power cut', async () => {
    await power(lab, 'six', 'off');
    await labUp(fleet, () => {});
    expect(await on('six', reaches('fd79::10'))).toBe('reaches\n');
  });
});

describe('subnets', () => {
  test('of the same director are apart for the others: the client has no way around it', async () => {
    expect(await on('dr1', reaches('172.16.0.50') + reaches('10.0.0.3'))).toBe('reaches\nreaches\n');
    expect(await on('probe', reaches('172.16.0.10') + reaches('10.0.0.3'))).toBe('reaches\ndoes not reach\n');
    expect(await on('web1', reaches('172.16.0.50'))).toBe('does not reach\n');
  });

  test('each have the packages', async () => {
    const update = 'apt-get update -q >/dev/null && apt-cache policy ipvsadm | grep -c http';
    expect(await Promise.all(['probe', 'web1'].map((name) => on(name, update)))).toEqual(['1\n', '1\n']);
  });
});

describe('a VIP that lies in no subnet', () => {
  test('is reached through the router, and so is every other subnet', async () => {
    await labDown(fleet);
    lab = await labUp(beyond, () => {});
    try {
      await on('dr1', 'ip address add 203.0.113.30/32 dev eth0', beyond);
      expect(await on('probe', reaches('203.0.113.30') + reaches('10.0.0.10'), beyond)).toBe('reaches\nreaches\n');
    } finally {
      await labDown(beyond);
    }
  });
});

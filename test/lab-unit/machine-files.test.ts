import { describe, expect, test } from 'vitest';
import { layoutOf } from '../../src/lab/layout.ts';
import { kernelArguments } from '../../src/lab/machine.ts';
import { knownHosts, machineFiles } from '../../src/lab/machine-files.ts';
import { networkCommands } from '../../src/lab/namespace.ts';
import { labFleet, s0Hosts } from '../lab/rehearsal-fleet.ts';

const fleet = labFleet('s0.yaml', s0Hosts().slice(0, 3));
const layout = layoutOf(fleet);
const dr1 = layout.hosts[0] as (typeof layout.hosts)[number];
const keys = { hostKey: 'PRIVATE\n', hostPublicKey: 'ssh-ed25519 AAAA dr1\n', labPublicKey: 'ssh-ed25519 BBBB lab\n' };

describe('the files of a machine', () => {
  const files = machineFiles(dr1, layout, keys);
  const content = (path: string) => files.find((file) => file.path === path)?.content;

  test('name it, its interfaces and its neighbours as the inventory does', () => {
    expect(content('etc/hostname')).toBe('dr1\n');
    expect(content('etc/hosts')).toBe(
      '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n10.18.43.10 dr1\n10.18.43.20 dr2\n10.18.43.13 web1\n',
    );
    expect(content('etc/systemd/network/10-lab-1.link')).toBe(
      '[Match]\nMACAddress=02:4c:56:00:00:01\nOriginalName=vec*\n\n[Link]\nName=eth1\n',
    );
    expect(content('etc/systemd/network/10-lab-1.network')).toBe(
      '[Match]\nName=eth1\n\n[Network]\nDHCP=no\nIPv6AcceptRA=no\n\n[Address]\nAddress=10.18.43.12/24\n',
    );
  });

  test('send it through the gateway by its first interface only, and to the gateway for packages', () => {
    expect(content('etc/systemd/network/10-lab-0.network')).toContain('[Route]\nGateway=10.18.43.254\nGatewayOnLink=yes\n');
    expect(content('etc/apt/sources.list')).toBe('deb [trusted=yes] http://10.18.43.254/ ./\n');
  });

  test('give it addresses of both families, usable at once, and a way out for each', () => {
    const nic = {
      name: 'eth0',
      addresses: ['10.0.0.2/24', 'fd79::2/64'],
      gateways: ['10.0.0.254', 'fd79::1'],
      mac: '',
      tap: '',
      bridge: 'br0',
    };
    const made = machineFiles({ name: 'six', address: 'fd79::2', nics: [nic], gateway: 'fd79::1' }, layout, keys);
    const said = (path: string) => made.find((file) => file.path === path)?.content;
    expect(said('etc/apt/sources.list')).toBe('deb [trusted=yes] http://[fd79::1]/ ./\n');
    expect(said('etc/systemd/network/10-lab-0.network')).toMatch(
      /\[Address\]\nAddress=10.0.0.2\/24\n\n\[Address\]\nAddress=fd79::2\/64\nDuplicateAddressDetection=none\n\n\[Route\]\nGateway=10.0.0.254\n.*\n\n\[Route\]\nGateway=fd79::1\n/,
    );
  });

  test('keep its secrets to root, and end with the stamp', () => {
    const secret = files.filter((file) => file.content === keys.hostKey || file.path.startsWith('root'));
    expect(secret.map((file) => file.mode & 0o077)).toEqual(secret.map(() => 0));
    expect(secret).toHaveLength(4);
    expect(files.at(-1)?.path).toBe('etc/lab-machine');
  });
});

test('known_hosts has every machine by its name and all its addresses', () => {
  const publicKeys = { dr1: 'ssh-ed25519 AAAA dr1\n', dr2: 'ssh-ed25519 BBBB dr2\n', web1: 'ssh-ed25519 CCCC web1\n' };
  expect(knownHosts(layout, publicKeys)).toBe(
    'dr1,10.18.43.10,10.18.43.12 ssh-ed25519 AAAA\ndr2,10.18.43.20,10.18.43.22 ssh-ed25519 BBBB\nweb1,10.18.43.13 ssh-ed25519 CCCC\n',
  );
});

describe('the command line of a machine', () => {
  const words = (settings = fleet.lab) =>
    kernelArguments({ lab: 'x', directory: '/lab', host: dr1, disk: '/cache/base.img', kernel: '/kernel/linux.uml', settings });

  test('gives it its memory, its disk over the image, and one line per interface', () => {
    expect(words()).toEqual(
      expect.arrayContaining([
        'mem=384M',
        'ubd0=/lab/dr1.cow,/cache/base.img',
        'ubd1r=/lab/dr1.tar',
        'vec0:transport=tap,ifname=tap0.0,depth=64,mac=02:4c:56:00:00:00',
        'vec1:transport=tap,ifname=tap0.1,depth=64,mac=02:4c:56:00:00:01',
      ]),
    );
  });

  test('has SELinux only where the inventory says so', () => {
    const withSelinux = (words_: readonly string[]) => words_.some((word) => word.startsWith('lsm=') && word.includes('selinux'));
    expect(withSelinux(words())).toBe(false);
    expect(withSelinux(words({ ...fleet.lab, selinux: 'permissive' }))).toBe(true);
  });
});

test('known_hosts has IPv6 addresses too, as ssh asks for them', () => {
  const nic = { name: 'eth0', addresses: ['10.0.0.2/24', 'fd79::2/64'], gateways: [], mac: '', tap: '', bridge: 'br0' };
  const host = { name: 'six', address: 'fd79::2', nics: [nic], gateway: 'fd79::1' };
  expect(knownHosts({ ...layout, hosts: [host] }, { six: 'ssh-ed25519 AAAA six\n' })).toBe('six,fd79::2,10.0.0.2 ssh-ed25519 AAAA\n');
});

test('the network is a bridge that does not snoop on multicast, and a tap per interface', () => {
  const commands = networkCommands(layout).split('\n');
  expect(commands).toContain('link add br0 type bridge mcast_snooping 0 forward_delay 0 stp_state 0');
  expect(commands).toContain('address add 10.18.43.254/24 dev br0');
  expect(commands.filter((line) => / master br0$/.test(line))).toHaveLength(5);
});

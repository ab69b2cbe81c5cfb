import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { loadInventory, parseInventory } from '../../src/inventory/load.ts';
import { secretSlot } from '../../src/sh/secret.ts';
import { base, complaintsAbout, edited } from './base.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('inventory/dr.yaml', () => {
  it('is the fleet of test/golden/dr.fleet.json', () => {
    const { fleet, secretNames } = loadInventory(`${root}inventory/dr.yaml`);
    const golden = JSON.parse(readFileSync(`${root}test/golden/dr.fleet.json`, 'utf8'));
    expect({ ...fleet, file: 'inventory/dr.yaml' }).toEqual(golden);
    expect(secretNames).toEqual([]);
  });

  it('holds nothing that JSON would lose', () => {
    const { fleet } = loadInventory(`${root}inventory/dr.yaml`);
    expect(JSON.parse(JSON.stringify(fleet))).toStrictEqual(fleet);
  });
});

describe('what the inventory leaves out', () => {
  const { fleet } = parseInventory(base, 'web.yaml');
  const named = (name: string) => fleet.hosts.find((host) => host.name === name);

  it('hosts: root on port 22, rip and dip from the address, the heartbeat interface with /24', () => {
    const ssh = { user: 'root', port: 22, timeout: 10, said: [] };
    expect(named('dr1')).toMatchObject({ role: 'director', dip: '10.18.43.10', ssh, vars: {} });
    expect(named('web1')).toStrictEqual({
      name: 'web1',
      role: 'backend',
      address: '10.18.43.13',
      ssh,
      interfaces: [{ name: 'eth0', addresses: ['10.18.43.13/24'] }],
      vars: {},
      rip: '10.18.43.13',
      rips: ['10.18.43.13'],
      weight: 1,
    });
  });

  it('VRRP, the check, nginx, the lab', () => {
    expect(fleet.vrrp).toStrictEqual({
      instances: [
        {
          instance: 'VI_1',
          id: 51,
          family: 'ipv4',
          version: 2,
          interface: 'eth0',
          vipInterface: 'eth1',
          mode: 'backup-nopreempt',
          advert: 1,
          unicast: false,
          addresses: [{ address: '10.18.43.30', prefix: 32, interface: 'eth1' }],
          trackInterfaces: ['eth1'],
          trackProcesses: [],
          trackScripts: [],
        },
      ],
      syncGroups: [],
      scripts: [],
    });
    expect(fleet.services[0]?.check).toStrictEqual({ kind: 'tcp', timeout: 3, retry: 3, delayBeforeRetry: 3, delayLoop: 6 });
    expect(fleet.nginx).toMatchObject({
      buildOn: 'first',
      user: 'nginx',
      group: 'nginx',
      listeners: [{ port: 80, protocol: 'tcp', tls: false }],
      nofile: 65_535,
    });
    expect(fleet.nginx?.source).toMatchObject({
      prefix: '/usr/local/nginx',
      configure: [],
      url: 'https://nginx.org/download/nginx-1.26.3.tar.gz',
    });
    expect(fleet.lab).toStrictEqual({ release: 'bookworm', packages: [], memory: 384 });
  });

  it('SELinux and firewall stay untouched', () => {
    expect(fleet).toMatchObject({ selinux: 'untouched', firewall: 'untouched', vars: {} });
  });

  it('the VIPs once each, in the order of the services', () => {
    const text = edited([
      'directors:\n',
      '  - { vip: 10.18.43.31/32, port: 80, scheduler: rr }\n  - { vip: 10.18.43.30, port: 443, scheduler: rr }\ndirectors:\n',
    ]);
    expect(parseInventory(text, 'web.yaml').fleet.vips).toEqual(['10.18.43.30', '10.18.43.31']);
  });
});

describe('what the inventory says', () => {
  it('the prefix length of the network, where a host says no interfaces', () => {
    const { fleet } = parseInventory(edited(['vrrp:', 'network: 10.18.0.0/16\nvrrp:']), 'web.yaml');
    expect(fleet.hosts.at(-1)?.interfaces).toEqual([{ name: 'eth0', addresses: ['10.18.43.50/16'] }]);
  });

  it('the interface that carries the address comes first', () => {
    const text = edited(['{ address: 10.18.43.13 }', '{ address: 10.18.43.13, interfaces: { eth9: 10.20.0.1/24, eth0: 10.18.43.13/24 } }']);
    const web1 = parseInventory(text, 'web.yaml').fleet.hosts.find((host) => host.name === 'web1');
    expect(web1?.interfaces.map((nic) => nic.name)).toEqual(['eth0', 'eth9']);
  });

  it('ssh and vars: the host outranks its groups, a later group an earlier one, groups the cluster', () => {
    const text = edited(
      ['vrrp:', 'ssh: { user: admin, port: 2222, timeout: 5 }\nvars: { colour: grey, size: 1, kept: { a: 1 } }\nvrrp:'],
      ['web1: { address: 10.18.43.13 }', 'web1: { address: 10.18.43.13, ssh: { timeout: 9 }, vars: { size: 3 } }'],
      [
        'clients:',
        'groups:\n  backends: { ssh: { port: 2200 }, vars: { colour: green } }\n  blue: { hosts: ["web*"], vars: { colour: blue, size: 2 } }\nclients:',
      ],
    );
    const { fleet } = parseInventory(text, 'web.yaml');
    const [web1, web2, probe] = ['web1', 'web2', 'probe'].map((name) => fleet.hosts.find((host) => host.name === name));
    expect(web1?.ssh).toStrictEqual({
      user: 'admin',
      port: 2200,
      timeout: 9,
      sudo: true,
      said: ['user', 'port', 'timeout'],
    });
    expect(web1?.vars).toEqual({ colour: 'blue', size: 3, kept: { a: 1 } });
    expect(web2?.vars).toEqual({ colour: 'blue', size: 2, kept: { a: 1 } });
    expect(probe).toMatchObject({ ssh: { port: 2222, timeout: 5 }, vars: { colour: 'grey', size: 1 } });
    expect(fleet.vars).toEqual({ colour: 'grey', size: 1, kept: { a: 1 } });
  });

  it('root needs no sudo, whoever asks for it', () => {
    const text = edited(['web1: { address: 10.18.43.13 }', 'web1: { address: 10.18.43.13, ssh: { user: root, sudo: true } }']);
    expect(parseInventory(text, 'web.yaml').fleet.hosts[2]?.ssh).toStrictEqual({
      user: 'root',
      port: 22,
      timeout: 10,
      said: ['user', 'sudo'],
    });
  });

  it('groups of hosts, in the order of the inventory, that may use other groups', () => {
    const text = edited(['clients:', 'groups: { odd: { hosts: [web1, dr1] }, even: { hosts: ["backends,directors:!odd"] } }\nclients:']);
    expect(parseInventory(text, 'web.yaml').fleet.groups).toEqual({
      all: ['dr1', 'dr2', 'web1', 'web2', 'probe'],
      directors: ['dr1', 'dr2'],
      backends: ['web1', 'web2'],
      clients: ['probe'],
      odd: ['dr1', 'web1'],
      even: ['dr2', 'web2'],
    });
  });

  it('groups may use others wherever they stand; what only narrows does so to the whole group', () => {
    const text = edited([
      'clients:',
      'groups: { outer: { hosts: [inner, dr1] }, inner: { hosts: [backends, "!web2"] }, none: { hosts: ["!outer"] } }\nclients:',
    ]);
    expect(parseInventory(text, 'web.yaml').fleet.groups).toMatchObject({
      outer: ['dr1', 'web1'],
      inner: ['web1'],
      none: ['dr2', 'web2', 'probe'],
    });
  });

  it('a group outranks those that hold it, wherever they stand; between others the later one counts', () => {
    const vars = (value: string): string => `vars: { from: ${value}, ${value}: true }`;
    const text = edited([
      'clients:',
      `groups:
  inner: { hosts: [web1], ${vars('inner')} }
  middle: { hosts: [inner, web2], ${vars('middle')} }
  backends: { ${vars('backends')} }
  outer: { hosts: [backends, middle], ${vars('outer')} }
  early: { hosts: [dr1, dr2], ${vars('early')} }
  late: { hosts: ["dr1:&directors"], ${vars('late')} }
clients:`,
    ]);
    const hosts = parseInventory(text, 'web.yaml').fleet.hosts;
    const from = Object.fromEntries(hosts.map(({ name, vars: { from: value } }) => [name, value]));
    expect(from).toEqual({ dr1: 'late', dr2: 'early', web1: 'inner', web2: 'backends', probe: undefined });
    expect(hosts.find(({ name }) => name === 'web1')?.vars).toMatchObject({ inner: true, middle: true, backends: true, outer: true });
  });

  it('weights: of the service, else of the host', () => {
    const text = edited(
      ['{ address: 10.18.43.13 }', '{ address: 10.18.43.13, weight: 5 }'],
      ['{ address: 10.18.43.14 }', '{ address: 10.18.43.14, weight: 7 }'],
      ['backends: all', 'backends: { web2: {}, web1: { weight: 2 } }'],
    );
    expect(parseInventory(text, 'web.yaml').fleet.services[0]?.realServers).toEqual([
      { host: 'web1', rip: '10.18.43.13', port: 80, weight: 2 },
      { host: 'web2', rip: '10.18.43.14', port: 80, weight: 7 },
    ]);
  });

  it('an http check and a sorry server', () => {
    const text = edited([
      'backends: all',
      'check: { http: { path: /alive, host: web, status: 204 }, delay_loop: 2 }\n    sorry_server: 127.0.0.1:80',
    ]);
    expect(parseInventory(text, 'web.yaml').fleet.services[0]).toMatchObject({
      check: { kind: 'http', timeout: 3, path: '/alive', hostHeader: 'web', status: 204, delayLoop: 2 },
      sorryServer: { address: '127.0.0.1', port: 80 },
    });
  });

  it('a tarball beside the inventory instead of one from the network', () => {
    const text = edited(['version: 1.26.3', 'version: 1.26.3\n    file: src/nginx.tar.gz']);
    const { fleet } = parseInventory(text, 'clusters/web.yaml');
    expect(fleet.nginx?.source).toMatchObject({ file: 'clusters/src/nginx.tar.gz' });
    expect(fleet.nginx?.source).not.toHaveProperty('url');
  });

  it('secrets as slots, their names each once', () => {
    const text = edited(
      ['id: 51', 'id: 51, auth_pass: !secret vrrp'],
      ['nginx:\n', 'vars: { a: !secret db.web, b: !secret vrrp }\nnginx:\n'],
    );
    const { fleet, secretNames } = parseInventory(text, 'web.yaml');
    expect(fleet.vrrp?.instances[0]?.authPass).toBe(secretSlot('vrrp'));
    expect(fleet.vars).toEqual({ a: secretSlot('db.web'), b: secretSlot('vrrp') });
    expect(secretNames).toEqual(['vrrp', 'db.web']);
  });

  it('where values of secrets lie: beside the inventory, at home, or anywhere; nothing is read yet, and the fleet knows nothing of it', () => {
    const said = (secrets: string) => parseInventory(edited(['clients:', `secrets: ${secrets}\nclients:`]), 'clusters/web.yaml');
    expect(said('{ file: vault.yml }').secrets).toEqual({ file: 'clusters/vault.yml' });
    const { secrets, fleet } = said('{ file: ../s.age, identity: ~/.age/key }');
    expect(secrets).toEqual({ file: 's.age', identity: join(homedir(), '.age/key') });
    expect(fleet).not.toHaveProperty('secrets');
    expect(said('{ file: /srv/s.age }').secrets).toEqual({ file: '/srv/s.age' });
    expect(parseInventory(base, 'web.yaml')).not.toHaveProperty('secrets');
  });
});

describe('YAML of all kinds', () => {
  const same = parseInventory(base, 'web.yaml').fleet;

  it.each([
    ['with Windows line ends', base.replaceAll('\n', '\r\n')],
    ['with a byte order mark', `\uFEFF${base}`],
    ['as version 1.1, where "off" would be false', `%YAML 1.1\n---\n${base}`],
    ['without a newline at the end', base.trimEnd()],
  ])('%s', (_, text) => {
    expect(parseInventory(text, 'web.yaml').fleet).toEqual(same);
  });

  it('an alias stands for its anchor, and complaints point to what it stands for', () => {
    const twice = ['web2: { address: 10.18.43.14 }', 'web2: { address: 10.18.43.14, vars: *v }'] as const;
    const { fleet } = parseInventory(edited(['vrrp:', 'vars: &v { size: 2 }\nvrrp:'], twice), 'web.yaml');
    expect(fleet.hosts[3]?.vars).toEqual({ size: 2 });
    const wrong = edited(
      ['vrrp:', 'ssh: &s { port: 0 }\nvrrp:'],
      ['web2: { address: 10.18.43.14 }', 'web2: { address: 10.18.43.14, ssh: *s }'],
    );
    expect(complaintsAbout(wrong)).toEqual([
      'web.yaml:2:17: ssh.port is 0; allowed: a whole number from 1 to 65535',
      'web.yaml:2:17: backends.web2.ssh.port is 0; allowed: a whole number from 1 to 65535',
    ]);
  });
});

describe('a file that cannot be read', () => {
  const refused = (file: string): LvsError => {
    try {
      loadInventory(file);
    } catch (error) {
      if (error instanceof LvsError) return error;
    }
    throw new Error('it was read');
  };

  it('is bad input', () => {
    expect(refused('no/such.yaml')).toMatchObject({ code: 'inventory.unreadable', exitCode: 4 });
    expect(formatError(refused('no/such.yaml'))).toBe(
      'no/such.yaml: there is no such file; the first argument is the path of an inventory, such as inventory/dr.yaml',
    );
    expect(formatError(refused(root))).toContain('this is a directory');
  });

  it('says where it is not UTF-8', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'lvsctl-utf8-')), 'web.yaml');
    writeFileSync(file, Buffer.from('cluster: web\nvars: { é: caf\u00e9 }\n', 'latin1'));
    expect(refused(file)).toMatchObject({ code: 'text.encoding', exitCode: 4, where: { file, line: 2, column: 9 } });
    writeFileSync(file, Buffer.concat([Buffer.from('cluster: "é€😀'), Buffer.from([0xe2, 0x82])]));
    expect(refused(file).where).toEqual({ file, line: 1, column: 15 });
  });
});

describe('every example inventory', () => {
  const files = readdirSync(`${root}inventory`).filter((file) => file.endsWith('.yaml'));

  it('has a cluster name of its own', () => {
    const names = files.map((file) => loadInventory(`${root}inventory/${file}`).fleet.cluster);
    expect(new Set(names).size).toBe(files.length);
    expect(files.length).toBeGreaterThan(10);
  });
});

import { describe, expect, it } from 'vitest';
import { complaintsAbout, type Edit, edited } from '../base.ts';

/** What is broken, how, and the lines that a user sees. */
type Case = readonly [what: string, edits: readonly Edit[], lines: readonly string[]];

const cases: readonly Case[] = [
  [
    'an unknown key, with the nearest spelling, and not a second time as missing',
    [['priority: 150', 'prioritty: 150']],
    [
      'web.yaml:10:32: unknown key "prioritty" in directors.dr2; did you mean "priority"? allowed: address, interfaces, ssh, vars, priority, dip',
    ],
  ],
  [
    'an unknown key that resembles nothing',
    [['clients:', 'hobby: chess\nclients:']],
    [
      'web.yaml:14:1: unknown key "hobby"; allowed: cluster, network, ssh, selinux, firewall, vrrp, static, services, proxy, nat, sync, directors, backends, clients, nginx, apache, keepalived, ipvsadm, packages, system, secrets, groups, vars, lab',
    ],
  ],
  [
    'a command in the place of a file of secrets: an inventory runs nothing',
    [['clients:', 'secrets: { command: [pass, show, x], fiel: s.age }\nclients:']],
    [
      'web.yaml:14:12: unknown key "command" in secrets; allowed: file, identity',
      'web.yaml:14:38: unknown key "fiel" in secrets; did you mean "file"? allowed: file, identity',
    ],
  ],
  [
    'a list of files of secrets',
    [['clients:', 'secrets: { file: [a, b], identity: "a\\nb" }\nclients:']],
    [
      'web.yaml:14:18: secrets.file is a list; allowed: the path of an encrypted file, on one line',
      'web.yaml:14:36: secrets.identity is "a\\u{a}b"; allowed: the path of an age identity, on one line',
    ],
  ],
  [
    'a word for a number',
    [['port: 80', 'port: http']],
    ['web.yaml:5:11: services[0].port is "http"; allowed: a whole number from 1 to 65535'],
  ],
  [
    'a list for a mapping',
    [['vrrp: { id: 51, interface: eth0, vip_interface: eth1 }', 'vrrp: [51]']],
    [
      'web.yaml:2:7: vrrp is a list; allowed: a mapping with the keys id, interface, vip_interface, mode, preempt_delay, version, advert, auth_pass, unicast, track_interfaces, track_processes, track_scripts, instance, instances, sync_groups, scripts, notify, mail, alarm',
    ],
  ],
  [
    'an empty value',
    [['scheduler: rr', 'scheduler:']],
    ['web.yaml:6:5: services[0].scheduler is empty; allowed: one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos'],
  ],
  [
    'a missing key, at the place where its mapping is named',
    [['priority: 100, ', '']],
    ['web.yaml:9:3: directors.dr1.priority is missing; required: a whole number from 1 to 254, best 50 apart from the other directors'],
  ],
  [
    'a missing key at the top',
    [['cluster: web\n', '']],
    ['web.yaml:1:1: cluster is missing; required: a name of at most 63 small letters, digits and hyphens'],
  ],
  [
    'a word that is not among those allowed',
    [['scheduler: rr', 'scheduler: wrrr']],
    [
      'web.yaml:6:16: services[0].scheduler is "wrrr"; did you mean "wrr"? allowed: one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos',
    ],
  ],
  [
    'another way of forwarding than direct routing',
    [['scheduler: rr', 'scheduler: rr\n    forward: nat']],
    [
      'web.yaml:7:14: replies of NAT real servers must go through the directors, and no nat.gateway is said; say nat: { gateway: ADDRESS/LENGTH, interface: NAME }',
    ],
  ],
  [
    'a section without hosts under it',
    [['clients:\n  probe: { address: 10.18.43.50, sources: [10.18.43.200-10.18.43.231] }', 'clients:']],
    ['web.yaml:14:1: clients is empty; allowed: a mapping of host names, such as web1: { address: 10.18.43.13 }'],
  ],
  [
    'no services',
    [['services:\n  - vip: 10.18.43.30\n    port: 80\n    scheduler: rr\n    backends: all\n', 'services: []\n']],
    ['web.yaml:3:11: services is an empty list; allowed: at least one service'],
  ],
  [
    'backends that are neither all nor a list nor a mapping',
    [['backends: all', 'backends: web1']],
    ['web.yaml:7:15: services[0].backends is "web1"; allowed: all, a list of names, or a mapping of names'],
  ],
  [
    'a misspelt setting of a backend of a service',
    [['backends: all', 'backends: { web1: { wieght: 2 } }']],
    [
      'web.yaml:7:25: unknown key "wieght" in services[0].backends.web1; did you mean "weight"? allowed: weight, port, upper_threshold, lower_threshold',
    ],
  ],
  ['a virtual router id out of range', [['id: 51', 'id: 256']], ['web.yaml:2:13: vrrp.id is 256; allowed: a whole number from 1 to 255']],
  [
    'a priority that means the owner of the address',
    [['priority: 150', 'priority: 255']],
    ['web.yaml:10:42: directors.dr2.priority is 255; allowed: a whole number from 1 to 254 (255 is for a router that owns the address)'],
  ],
  [
    'a fractional advert interval',
    [['id: 51', 'id: 51, advert: 0.5']],
    ['web.yaml:2:25: vrrp.advert is 0.5; allowed: whole seconds from 1 to 255 (VRRPv2 rounds fractions); version: "3" has them'],
  ],
  [
    'a persistence of 0',
    [['backends: all', 'persistence: 0']],
    ['web.yaml:7:18: services[0].persistence is 0; allowed: whole seconds from 1 to 2678400; without the key there is no persistence'],
  ],
  [
    'a VIP that would make a whole subnet local',
    [['10.18.43.30', '10.18.43.30/24']],
    [
      'web.yaml:4:10: services[0].vip is "10.18.43.30/24"; allowed: one address, with /32 (IPv6: /128) or with no prefix: a wider prefix on lo makes the whole subnet local to the backend',
    ],
  ],
  [
    'a VIP of IPv6',
    [['10.18.43.30', 'fd00::30']],
    [
      'web.yaml:4:10: the VIP fd00::30 lies outside the network of eth1 on dr1 (10.18.43.12/24); nobody would ask for it by ARP: take an address of that network which no host has; routed: true, if a router sends it to the director',
      'web.yaml:4:10: the VIP fd00::30 is IPv6, but web1 has no IPv6 address; give web1 one on an interface, or name the backends of this service',
      'web.yaml:4:10: the VIP fd00::30 is IPv6, but web2 has no IPv6 address; give web2 one on an interface, or name the backends of this service',
    ],
  ],
  [
    'an address with a leading zero',
    [['10.18.43.14', '10.18.43.014']],
    ['web.yaml:13:20: backends.web2.address is "10.18.43.014"; allowed: an IPv4 or IPv6 address that a host can have, such as 10.18.43.10'],
  ],
  [
    'an address that no host can have',
    [['10.18.43.14', '127.0.0.1']],
    ['web.yaml:13:20: backends.web2.address is "127.0.0.1"; allowed: an IPv4 or IPv6 address that a host can have, such as 10.18.43.10'],
  ],
  [
    'an interface without prefix length',
    [['10.18.43.12/24', '10.18.43.12']],
    [
      'web.yaml:9:89: directors.dr1.interfaces.eth1 is "10.18.43.12"; allowed: an address with its prefix length, such as 10.18.43.10/24 or fd79::10/64',
    ],
  ],
  [
    'a range that runs backwards',
    [['10.18.43.200-10.18.43.231', '10.18.43.231-10.18.43.200']],
    [
      'web.yaml:15:44: clients.probe.sources[0] is "10.18.43.231-10.18.43.200"; allowed: an address, or a range upwards of at most 1024 such as 10.18.43.200-10.18.43.231',
    ],
  ],
  [
    'a range of half the internet',
    [['10.18.43.200-10.18.43.231', '1.0.0.0-200.0.0.0']],
    [
      'web.yaml:15:44: clients.probe.sources[0] is "1.0.0.0-200.0.0.0"; allowed: an address, or a range upwards of at most 1024 such as 10.18.43.200-10.18.43.231',
    ],
  ],
  [
    'habits from Ansible',
    [
      ['web1: { address: 10.18.43.13 }', 'web1: { address: 10.18.43.13, ansible_user: admin }'],
      ['clients:', 'groups: { both: { children: [backends] } }\nclients:'],
    ],
    [
      'web.yaml:12:33: unknown key "ansible_user" in backends.web1; write ssh: { user: … }; allowed: address, interfaces, ssh, vars, rip, weight',
      'web.yaml:14:19: unknown key "children" in groups.both; name the groups under hosts; allowed: hosts, ssh, vars',
    ],
  ],
  [
    'a range of names that are none',
    [['web2: { address: 10.18.43.14 }', '"web_[1:2]": { address: "10.18.43.[14:15]" }']],
    [
      'web.yaml:13:3: backends has the name "web_1"; allowed: a host name of at most 63 small letters, digits and hyphens, without a hyphen at either end (RFC 1123)',
    ],
  ],
  [
    'a host name that could be a flag',
    [['web2:', '-web2:']],
    [
      'web.yaml:13:3: backends has the name "-web2"; allowed: a host name of at most 63 small letters, digits and hyphens, without a hyphen at either end (RFC 1123)',
    ],
  ],
  [
    'an interface name with a space',
    [['eth1: 10.18.43.22/24', '"eth 1": 10.18.43.22/24']],
    [
      'web.yaml:10:83: directors.dr2.interfaces has the name "eth 1"; allowed: an interface name of at most 15 letters, digits, ".", "_" and "-" (lo, all and default have a meaning of their own)',
    ],
  ],
  [
    'a password of more than 8 characters, without repeating it',
    [['id: 51', 'id: 51, auth_pass: correct-horse']],
    [
      'web.yaml:2:28: vrrp.auth_pass is text of 13 characters; allowed: 1 to 8 letters, digits and signs of _.:@%+=,/^*- in quotes, or !secret NAME',
    ],
  ],
  [
    'a password that YAML takes for a number, without repeating it',
    [['id: 51', 'id: 51, auth_pass: 0011']],
    [
      'web.yaml:2:28: vrrp.auth_pass is not text but a number; allowed: 1 to 8 letters, digits and signs of _.:@%+=,/^*- in quotes, or !secret NAME',
    ],
  ],
  [
    'a password with a line break',
    [['id: 51', 'id: 51, auth_pass: "a\\n}"']],
    [
      'web.yaml:2:28: vrrp.auth_pass is text of 3 characters; allowed: 1 to 8 letters, digits and signs of _.:@%+=,/^*- in quotes, or !secret NAME',
    ],
  ],
  [
    'a user that ssh would take for a flag',
    [['vrrp:', 'ssh: { user: -oProxyCommand=reboot }\nvrrp:']],
    [
      'web.yaml:2:14: ssh.user is "-oProxyCommand=reboot"; allowed: a user name of letters, digits, ".", "_", "@" and "-" that starts with a letter or "_"',
    ],
  ],
  [
    'a key file with a line break',
    [['vrrp:', 'ssh: { key: "a\\nb" }\nvrrp:']],
    ['web.yaml:2:13: ssh.key is "a\\u{a}b"; allowed: the path of a private key, on one line'],
  ],
  [
    'a checksum that is too short',
    [['0123456789abcdef\n', '\n']],
    [
      'web.yaml:19:13: nginx.source.sha256 is "0123456789abcdef0123456789abcdef0123456789abcdef"; allowed: the 64 hexadecimal digits that sha256sum prints',
    ],
  ],
  [
    'a version that YAML takes for a number',
    [['1.26.3', '1.26']],
    ['web.yaml:18:14: nginx.source.version is 1.26; allowed: three numbers such as 1.26.3'],
  ],
  [
    'a flag without dashes',
    [['version: 1.26.3', 'version: 1.26.3\n    configure: [with-debug]']],
    ['web.yaml:19:17: nginx.source.configure[0] is "with-debug"; allowed: a flag of ./configure, which starts with --'],
  ],
  [
    'a word of keepalived 1 in a check',
    [['backends: all', 'check: { tcp: { timeout: 3, nb_get_retry: 3 } }']],
    ['web.yaml:7:33: unknown key "nb_get_retry" in services[0].check.tcp; allowed: timeout, retry, delay_before_retry, port'],
  ],
  [
    'a path that keepalived.conf could not hold',
    [['backends: all', 'check: { http: { path: "/a }" } }']],
    ['web.yaml:7:28: services[0].check.http.path is "/a }"; allowed: a path that starts with "/", without spaces, quotes, "#" and "!"'],
  ],
  [
    'a sorry server without a port',
    [['backends: all', 'sorry_server: localhost']],
    ['web.yaml:7:19: services[0].sorry_server is "localhost"; allowed: ADDRESS:PORT, such as 127.0.0.1:80 or [fd79::1]:80'],
  ],
  [
    'a group name with a glob in it',
    [['clients:', 'groups: { "b-*": { hosts: [web1] } }\nclients:']],
    ['web.yaml:14:11: groups has the name "b-*"; allowed: a group name of letters, digits, "_" and "-" that starts with a letter or "_"'],
  ],
  [
    'a number in quotes',
    [['port: 80', 'port: "80"']],
    ['web.yaml:5:11: services[0].port is "80"; write it without quotes; allowed: a whole number from 1 to 65535'],
  ],
  [
    'a colon without a space behind it: one mistake, not an unknown and a missing key',
    [['web2: { address: 10.18.43.14 }', 'web2: { address:10.18.43.14 }']],
    [
      'web.yaml:13:11: unknown key "address:10.18.43.14" in backends.web2; write a space after the colon; allowed: address, interfaces, ssh, vars, rip, weight',
    ],
  ],
  [
    'everything that is wrong, in the order of the file',
    [
      ['priority: 150', 'prioritty: 150'],
      ['port: 80', 'port: 0'],
      ['id: 51', 'id: 300'],
    ],
    [
      'web.yaml:2:13: vrrp.id is 300; allowed: a whole number from 1 to 255',
      'web.yaml:5:11: services[0].port is 0; allowed: a whole number from 1 to 65535',
      'web.yaml:10:32: unknown key "prioritty" in directors.dr2; did you mean "priority"? allowed: address, interfaces, ssh, vars, priority, dip',
    ],
  ],
];

it('an inventory of Ansible is named as one', () => {
  expect(complaintsAbout('all:\n  children:\n    directors: { hosts: { dr1: { ansible_host: 10.18.43.10 } } }\n')).toEqual([
    'web.yaml:1:1: this is an inventory of Ansible; directors, backends and clients stand at the top here, and say what the cluster is: see inventory/dr.yaml',
  ]);
});

describe('the form of each value', () => {
  it.each(cases)('%s', (_what, edits, lines) => {
    expect(complaintsAbout(edited(...edits))).toEqual(lines);
  });
});

import { describe, expect, it } from 'vitest';
import { complaintsAbout, type Edit, edited } from '../base.ts';

/** What is broken, how, and the lines that a user sees. */
type Case = readonly [what: string, edits: readonly Edit[], lines: readonly string[]];

const hosts: readonly Case[] = [
  [
    'a host name in two roles',
    [['web2:', 'dr1:']],
    ['web.yaml:13:3: the host name "dr1" is taken: it stands under directors too (line 9); each host has a name of its own and one role'],
  ],
  [
    'a host name that means something else',
    [['web2:', 'first:']],
    [
      'web.yaml:13:3: "first" cannot be the name of a host; these words mean something else: all, directors, backends, clients, first, each, control, localhost',
    ],
  ],
  [
    'no directors',
    [
      [
        'directors:\n  dr1: { address: 10.18.43.10, priority: 100, interfaces: { eth0: 10.18.43.10/24, eth1: 10.18.43.12/24 } }\n  dr2: { address: 10.18.43.20, priority: 150, interfaces: { eth0: 10.18.43.20/24, eth1: 10.18.43.22/24 } }\n',
        'directors: {}\n',
      ],
    ],
    ['web.yaml:8:1: directors has no hosts; name at least one host that runs keepalived, better two'],
  ],
  [
    'no backends',
    [['backends:\n  web1: { address: 10.18.43.13 }\n  web2: { address: 10.18.43.14 }\n', 'backends: {}\n']],
    ['web.yaml:11:1: backends has no hosts; name at least one host that answers'],
  ],
  [
    'clients without a host',
    [['clients:\n  probe: { address: 10.18.43.50, sources: [10.18.43.200-10.18.43.231] }', 'clients: {}']],
    ['web.yaml:14:1: clients has no hosts; name a host to look from, or take clients away'],
  ],
  [
    'one priority for two directors',
    [['priority: 150', 'priority: 100']],
    [
      'web.yaml:10:42: the priority 100 is taken: dr1 has it (line 9); give each director its own, best 50 apart; between equal ones the higher address decides',
    ],
  ],
  [
    'an address outside the network',
    [['vrrp:', 'network: 10.18.43.0/27\nvrrp:']],
    [
      'web.yaml:16:21: the address 10.18.43.50 of probe lies outside the network 10.18.43.0/27; correct one of the two, or say the interfaces of this host',
      'web.yaml:16:44: the sources 10.18.43.200-10.18.43.231 lie in no network of probe; answers would not come back; networks of probe: 10.18.43.50/27 (eth0)',
    ],
  ],
];

const addresses: readonly Case[] = [
  [
    'one address for two hosts',
    [['10.18.43.14 }', '10.18.43.13 }']],
    [
      'web.yaml:13:20: the address 10.18.43.13 is taken: web1 has it (line 12); every interface and every source needs an address of its own',
    ],
  ],
  [
    'one address for two interfaces of two hosts',
    [['eth1: 10.18.43.22/24', 'eth1: 10.18.43.12/24']],
    ['web.yaml:10:89: the address 10.18.43.12 is taken: dr1 has it (line 9); every interface and every source needs an address of its own'],
  ],
  [
    'one address for two interfaces of one host',
    [['eth1: 10.18.43.22/24', 'eth1: 10.18.43.20/24']],
    [
      'web.yaml:10:89: the address 10.18.43.20 is taken: dr2 has it (line 10); every interface and every source needs an address of its own',
    ],
  ],
  [
    'a range of sources that takes in other hosts',
    [['10.18.43.200-10.18.43.231', '10.18.43.5-10.18.43.15']],
    ['web.yaml:15:44: the address 10.18.43.10 is taken: dr1 has it (line 9); every interface and every source needs an address of its own'],
  ],
  [
    'a VIP that is a RIP',
    [['10.18.43.30', '10.18.43.14']],
    ['web.yaml:4:10: the VIP 10.18.43.14 is an address of web2 (line 13); a VIP belongs to no host: take an address that nothing else has'],
  ],
  [
    'a VIP that is an address of an interface',
    [['10.18.43.30', '10.18.43.22']],
    ['web.yaml:4:10: the VIP 10.18.43.22 is an address of dr2 (line 10); a VIP belongs to no host: take an address that nothing else has'],
  ],
  [
    'a VIP that is a source',
    [['10.18.43.30', '10.18.43.210']],
    [
      'web.yaml:4:10: the VIP 10.18.43.210 is an address of probe (line 15); a VIP belongs to no host: take an address that nothing else has',
    ],
  ],
];

const interfaces: readonly Case[] = [
  [
    'an interface that no director has',
    [['vip_interface: eth1', 'vip_interface: eth2']],
    ['web.yaml:2:49: no director has an interface "eth2"; interfaces of dr1: 10.18.43.10/24 (eth0), 10.18.43.12/24 (eth1)'],
  ],
  [
    'an interface that one director lacks',
    [[', interfaces: { eth0: 10.18.43.10/24, eth1: 10.18.43.12/24 }', '']],
    ['web.yaml:9:3: dr1 has no interface "eth1", which vrrp.vip_interface names; its interfaces: 10.18.43.10/24 (eth0)'],
  ],
  [
    'an address that no interface carries',
    [['address: 10.18.43.20', 'address: 10.18.43.21']],
    ['web.yaml:10:19: no interface of dr2 carries its address 10.18.43.21; its interfaces: 10.18.43.20/24 (eth0), 10.18.43.22/24 (eth1)'],
  ],
  [
    'a RIP that no interface carries',
    [['address: 10.18.43.14', 'address: 10.18.43.14, rip: 10.18.43.15']],
    ['web.yaml:13:38: no interface of web2 carries its rip 10.18.43.15; its interfaces: 10.18.43.14/24 (eth0)'],
  ],
  [
    'a DIP that no interface carries',
    [['priority: 150', 'priority: 150, dip: 10.18.43.23']],
    ['web.yaml:10:52: no interface of dr2 carries its dip 10.18.43.23; its interfaces: 10.18.43.20/24 (eth0), 10.18.43.22/24 (eth1)'],
  ],
  [
    'the broadcast address as an address',
    [['eth1: 10.18.43.12/24', 'eth1: 10.18.43.255/24']],
    ['web.yaml:9:89: 10.18.43.255 is the broadcast address of its network (10.18.43.255/24); take an address between the two ends'],
  ],
  [
    'sources that could not be answered',
    [['10.18.43.200-10.18.43.231', '10.18.44.1']],
    [
      'web.yaml:15:44: the sources 10.18.44.1 lie in no network of probe; answers would not come back; networks of probe: 10.18.43.50/24 (eth0)',
    ],
  ],
  [
    'sources up to the broadcast address',
    [['10.18.43.200-10.18.43.231', '10.18.43.250-10.18.43.255']],
    ['web.yaml:15:44: 10.18.43.255 is the broadcast address of its network (10.18.43.50/24); take an address between the two ends'],
  ],
];

const services: readonly Case[] = [
  [
    'one VIP and port twice',
    [['directors:\n', '  - { vip: 10.18.43.30/32, port: 80, scheduler: wrr }\ndirectors:\n']],
    ['web.yaml:8:12: the service 10.18.43.30:80 is there already (line 4); say one service for each VIP and port'],
  ],
  [
    'a VIP that nobody would ask for',
    [['10.18.43.30', '10.18.44.30']],
    [
      'web.yaml:4:10: the VIP 10.18.44.30 lies outside the network of eth1 on dr1 (10.18.43.12/24); nobody would ask for it by ARP: take an address of that network which no host has; routed: true, if a router sends it to the director',
    ],
  ],
  [
    'the broadcast address as VIP',
    [['10.18.43.30', '10.18.43.255']],
    [
      'web.yaml:4:10: the VIP 10.18.43.255 is the broadcast address of the network of eth1 on dr1 (10.18.43.12/24); nobody would ask for it by ARP: take an address of that network which no host has',
    ],
  ],
  [
    'a service without backends',
    [['backends: all', 'backends: []']],
    ['web.yaml:7:5: this service has no backends; say all, or at least one name'],
  ],
  [
    'a backend that is not there, in a list',
    [['backends: all', 'backends: [web1, wbe2]']],
    ['web.yaml:7:22: no backend is called "wbe2"; did you mean "web2"? backends: web1, web2'],
  ],
  [
    'a backend that is not there, in a mapping',
    [['backends: all', 'backends: { web1: {}, db9: { weight: 2 } }']],
    ['web.yaml:7:27: no backend is called "db9"; backends: web1, web2'],
  ],
  [
    'a director as a backend',
    [['backends: all', 'backends: [web1, dr2]']],
    ['web.yaml:7:22: no backend is called "dr2"; backends: web1, web2'],
  ],
  [
    'a backend twice',
    [['backends: all', 'backends: [web1, web1]']],
    ['web.yaml:7:22: web1 is listed twice; to send it more, give it a weight: { NAME: { weight: 2 } }'],
  ],
  [
    'nobody who would answer',
    [['backends: all', 'backends: { web1: { weight: 0 } }']],
    ['web.yaml:4:5: every backend of this service has weight 0; nothing would answer: give one of them a weight above 0'],
  ],
  [
    'another port behind the VIP',
    [['backends: all', 'backends: { web1: { port: 8080 }, web2: {} }']],
    [
      'web.yaml:7:31: web1 has port 8080, but the service has port 80; direct routing passes packets on as they are: the backend answers on the port of the service',
    ],
  ],
  [
    'a backend on a segment of its own',
    [['address: 10.18.43.14', 'address: 10.18.99.14']],
    [
      'web.yaml:13:3: web2 (10.18.99.14) lies in no network of dr1: 10.18.43.10/24 (eth0), 10.18.43.12/24 (eth1); direct routing only changes the MAC address: director and backend need a segment in common',
    ],
  ],
  [
    'a sorry server on another port',
    [['backends: all', 'sorry_server: 127.0.0.1:8080']],
    [
      'web.yaml:7:19: the sorry server has port 8080, but the service has port 80; direct routing passes packets on as they are: it answers on the port of the service',
    ],
  ],
  [
    'a VIP as its own sorry server',
    [['backends: all', 'sorry_server: 10.18.43.30:80']],
    ['web.yaml:7:19: the sorry server 10.18.43.30 is a VIP; name a host that answers by itself, such as 127.0.0.1'],
  ],
  [
    'two kinds of check',
    [['backends: all', 'check: { tcp: {}, http: {} }']],
    ['web.yaml:7:5: this check says both tcp and http; keep one of them: http looks at more'],
  ],
];

const nginx: readonly Case[] = [
  [
    'a version that cannot be built',
    [['1.26.3', '1.14.0']],
    [
      'web.yaml:18:14: nginx 1.14.0 is too old for today\'s systems; allowed: 1.20.2 or newer; 1.14 fails with "crypt_data has no member current_salt", 1.16 and 1.18 break on OpenSSL 3',
    ],
  ],
  [
    'the last version that is too old',
    [['1.26.3', '1.20.1']],
    [
      'web.yaml:18:14: nginx 1.20.1 is too old for today\'s systems; allowed: 1.20.2 or newer; 1.14 fails with "crypt_data has no member current_salt", 1.16 and 1.18 break on OpenSSL 3',
    ],
  ],
  [
    'two sources',
    [['version: 1.26.3', 'version: 1.26.3\n    url: https://example.org/nginx.tar.gz\n    file: nginx.tar.gz']],
    ['web.yaml:20:5: the source has both url and file; keep one of them'],
  ],
  [
    'the prefix as a flag',
    [['version: 1.26.3', 'version: 1.26.3\n    configure: [--with-debug, --prefix=/opt/nginx]']],
    ['web.yaml:19:31: "--prefix=/opt/nginx" is among the flags; say it as nginx.source.prefix'],
  ],
  [
    'a build host that is not there',
    [['nginx:\n', 'nginx:\n  build: { on: wbe2 }\n']],
    ['web.yaml:17:16: nginx cannot be built on "wbe2"; did you mean "web2"? allowed: first, each, web1, web2'],
  ],
  [
    'a port that no service has',
    [['nginx:\n', 'nginx:\n  port: 8080\n']],
    [
      'web.yaml:17:9: no service has the port 8080 of nginx; direct routing passes packets on as they are: nginx listens on the port of a service (80)',
    ],
  ],
];

const groups: readonly Case[] = [
  [
    'a pattern that fits nothing',
    [['clients:', 'groups: { blue: { hosts: [web1, "all:!wbe2"] } }\nclients:']],
    [
      'web.yaml:14:33: no host or group is called "wbe2"; did you mean "web2"? known: all, directors, backends, clients, dr1, dr2, web1, web2, probe',
    ],
  ],
  [
    'a group that holds itself',
    [['clients:', 'groups: { one: { hosts: [web1, two] }, two: { hosts: [one] } }\nclients:']],
    ['web.yaml:14:55: the group two holds itself: one → two → one; take one of these names out of the group that holds it'],
  ],
  [
    'a regular expression that is none',
    [['clients:', 'groups: { blue: { hosts: ["~web["] } }\nclients:']],
    [expect.stringMatching(/^web\.yaml:14:27: the pattern "~web\[" cannot be followed: Invalid regular expression/)],
  ],
  [
    'a group without hosts',
    [['clients:', 'groups: { blue: { vars: { colour: blue } } }\nclients:']],
    ['web.yaml:14:11: the group blue has no hosts; say hosts: [PATTERN, …], or take the group away'],
  ],
  [
    'a pattern that chooses nobody',
    [['clients:', 'groups: { blue: { hosts: ["web1:!backends"] } }\nclients:']],
    ['web.yaml:14:11: the group blue has no hosts; say hosts: [PATTERN, …], or take the group away'],
  ],
  [
    'the group all',
    [['clients:', 'groups: { all: { vars: {} } }\nclients:']],
    ['web.yaml:14:11: the group all is there anyway; say ssh and vars of all hosts at the top of the file'],
  ],
  [
    'other hosts for a section',
    [['clients:', 'groups: { backends: { hosts: [web1] } }\nclients:']],
    ['web.yaml:14:23: the hosts of backends are those under backends; take hosts away, or use another name'],
  ],
  [
    'a group called like a host',
    [['clients:', 'groups: { web1: { hosts: [web1] } }\nclients:']],
    ['web.yaml:14:11: the name "web1" is taken: a host has it; use another name: a pattern could mean either'],
  ],
];

describe.each([
  ['hosts', hosts],
  ['addresses', addresses],
  ['interfaces', interfaces],
  ['services', services],
  ['nginx', nginx],
  ['groups', groups],
] as const)('rules about %s', (_, cases) => {
  it.each(cases)('%s', (_what, edits, lines) => {
    expect(complaintsAbout(edited(...edits))).toEqual(lines);
  });
});

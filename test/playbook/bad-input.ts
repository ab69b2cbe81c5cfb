/** Playbooks with one mistake each, and the line that says what it is: place, what was found, what would be right. */

export interface BadBook {
  readonly what: string;
  /** `book.yaml` and what it imports. */
  readonly files: Readonly<Record<string, string>>;
  /** All of it, from file:line:column on. */
  readonly line: string;
}

const play = (task: string): string => `- name: p\n  hosts: web1\n  vars: { colour: red }\n  tasks:\n    - ${task}\n`;
const bad = (what: string, text: string, line: string): BadBook => ({ what, files: { 'book.yaml': text }, line });
const isJs = 'expressions are JavaScript: write && for and, || for or, ! for not';
const facts = 'it may be used in "when", and here behind "barrier: true"';

export const badBooks: readonly BadBook[] = [
  bad(
    'an undefined variable',
    play('group: { name: "<%= vars.color %>" }'),
    'book.yaml:5:22: vars.color is not defined; did you mean "vars.colour"? there are: colour',
  ),
  bad('a variable without vars', play('group: { name: "<%= colour %>" }'), 'book.yaml:5:22: colour is not defined; write vars.colour'),
  bad('a task that does not exist', play('servcie: { name: nginx }'), 'book.yaml:5:7: there is no task "servcie"; did you mean "service"?'),
  bad(
    'a parameter of the wrong type',
    play('service:\n        name: nginx\n        enabled: maybe'),
    'book.yaml:7:18: service.enabled is "maybe", not true or false; see "lvsctl tasks service"',
  ),
  bad(
    'a list where text is wanted',
    play('group: { name: [a] }'),
    'book.yaml:5:22: group.name is a list, not text; see "lvsctl tasks group"',
  ),
  bad(
    'text in place of parameters',
    play('group: web'),
    'book.yaml:5:14: group is "web", not a mapping; it takes name, system, gid, state; see "lvsctl tasks group"',
  ),
  bad(
    'a parameter that is missing',
    play('group: { system: true }'),
    'book.yaml:5:7: group.name is missing; it is text; see "lvsctl tasks group"',
  ),
  bad(
    'a parameter that does not exist',
    play('service: { name: x, stat: started }'),
    'book.yaml:5:27: service has no parameter "stat"; did you mean "state"? it takes name, state, enabled; see "lvsctl tasks service"',
  ),
  bad(
    'a check that does not exist',
    '- name: p\n  checks:\n    - vip_app: {}\n',
    'book.yaml:3:7: there is no check "vip_app"; did you mean "vip_arp"?',
  ),
  bad(
    'a parameter of a check that does not exist',
    '- name: p\n  checks:\n    - traffic: { reqests: 3 }\n',
    'book.yaml:3:18: traffic has no parameter "reqests"; did you mean "requests"? it takes requests, max_error_rate, path; see "lvsctl checks traffic"',
  ),
  bad(
    'a loop over text',
    play('group: { name: "<%= item %>" }\n      loop: ada'),
    'book.yaml:6:13: loop is the text "ada", not a list; write a list, [a, b], or one expression alone, "<%= … %>", that gives a list',
  ),
  bad(
    'a handler that nobody defines',
    play('service: { name: app }\n      notify: relaod app'),
    'book.yaml:6:15: nothing in this play defines the handler "relaod app" for web1; did you mean "reload app"? defined here: restart app, reload app',
  ),
  {
    what: 'an import that imports itself',
    files: {
      'book.yaml': play('import_tasks: a.yaml'),
      'a.yaml': '- group: { name: a }\n- import_tasks: b.yaml\n',
      'b.yaml': '- import_tasks: a.yaml\n',
    },
    line: 'b.yaml:1:17: a.yaml imports itself; take one of these imports away: a.yaml → b.yaml → a.yaml',
  },
  {
    what: 'an import of nothing',
    files: { 'book.yaml': play('import_tasks: none.yaml') },
    line: 'book.yaml:5:21: there is no file none.yaml',
  },
  {
    what: 'a mistake in an imported file',
    files: { 'book.yaml': play('import_tasks: a.yaml'), 'a.yaml': '- name: x\n  gruop: { name: a }\n' },
    line: 'a.yaml:2:3: there is no task "gruop"; did you mean "group"?',
  },
  bad(
    'a fact in a parameter',
    play('group: { name: "<%= facts.hostname %>" }'),
    `book.yaml:5:22: facts.hostname is not known here; ${facts}`,
  ),
  bad(
    'a fact in a loop',
    play('group: { name: "<%= item %>" }\n      loop: "<%= Object.keys(facts.interfaces) %>"'),
    `book.yaml:6:13: facts.interfaces is not known here; ${facts}`,
  ),
  bad(
    'a fact that does not exist',
    play("group: { name: a }\n      when: facts.cpus > 1 && facts.distro === 'debian'"),
    'book.yaml:6:13: when: there is no facts.distro; there are: hostname, distribution, release, codename, architecture, kernel, packageManager, init, selinux, cpus, memoryMiB, interfaces',
  ),
  bad(
    'a property of the host that does not exist',
    play('group: { name: a }\n      when: host.wieght > 1'),
    'book.yaml:6:13: when: there is no host.wieght; did you mean "weight"? there are: name, role, address, ssh, interfaces, vars, priority, priorities, heartbeats, dip, rip, rips, weight, sources',
  ),
  bad(
    'hosts that do not exist',
    '- name: p\n  hosts: backend\n  tasks: []\n',
    'book.yaml:2:10: no host or group is called "backend"; did you mean "backends"? known: all, directors, backends, clients, dr1, dr2, web1, web2, probe',
  ),
  bad(
    'a wrong key in a play',
    '- name: p\n  host: web1\n  tasks: []\n',
    'book.yaml:2:3: unknown key "host"; did you mean "hosts"? allowed: KEYS',
  ),
  bad(
    'a habit from Ansible in a play',
    '- name: p\n  hosts: web1\n  become: true\n',
    'book.yaml:3:3: unknown key "become"; every task runs as root: take it away, and see "sudo" under ssh in the inventory',
  ),
  bad(
    'a tab',
    '- name: p\n  hosts: web1\n\ttasks: []\n',
    'book.yaml:3:1: not valid YAML: Tabs are not allowed as indentation; indent with spaces',
  ),
  bad(
    'a bracket that is not closed',
    play('group: { name: a\n    - user: { name: b }'),
    'book.yaml:6:5: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }; keys of one mapping, and items of one list, start in the same column; what a bracket opens is closed and indented',
  ),
  bad(
    'a key twice',
    play('group: { name: a }\n      group: { name: b }'),
    'book.yaml:6:7: the key "group" is there twice; take one of the two away',
  ),
  bad(
    'a condition that ends too early',
    play('group: { name: a }\n      when: host.name ==='),
    'book.yaml:6:13: when: the expression ends too early',
  ),
  bad(
    'a condition as Ansible has it',
    play("group: { name: a }\n      when: vars.colour == 'red' and host.name == 'web1'"),
    `book.yaml:6:13: when: Unexpected identifier 'and' behind "vars.colour == 'red'"; ${isJs}`,
  ),
  bad(
    'two habits in one condition',
    play("group: { name: a }\n      when: vars.colour == 'red' and vars.size is defined"),
    `book.yaml:6:13: when: Unexpected identifier 'and' behind "vars.colour == 'red'"; write "'NAME' in vars" for "vars.NAME is defined"; ${isJs}`,
  ),
  bad(
    'an expression that is not closed',
    play('group: { name: "<%= vars.colour " }'),
    'book.yaml:5:22: "<%" is not closed; an expression ends with %>',
  ),
  bad(
    'a filter as Ansible has it',
    play('group: { name: "<%= vars.colour | upper %>" }'),
    'book.yaml:5:22: upper is not defined; expressions are JavaScript: there are no filters, but its own methods, such as .length',
  ),
  bad(
    'a condition that assigns',
    play("group: { name: a }\n      when: host.name = 'web1'"),
    'book.yaml:6:13: when: "=" would assign name; compare with === or ==',
  ),
  bad(
    'an expression in text that is none',
    play('group: { name: "a-<%= host.name + %>" }'),
    'book.yaml:5:22: the expression ends too early',
  ),
  bad(
    'two tasks in one entry',
    play('group: { name: a }\n      wehn: true'),
    'book.yaml:6:7: two words in one entry: group and wehn; did you mean "when"?',
  ),
];

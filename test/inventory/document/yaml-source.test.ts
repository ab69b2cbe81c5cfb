import { describe, expect, it } from 'vitest';
import { complaintsAbout, type Edit, edited } from '../base.ts';

/** What is broken, how, and the lines that a user sees. */
type Case = readonly [what: string, edits: readonly Edit[], lines: readonly string[]];

const cases: readonly Case[] = [
  ['a key that is there twice', [['web2:', 'web1:']], ['web.yaml:13:3: the key "web1" is there twice; take one of the two away']],
  ['a tab', [['    port', '\tport']], ['web.yaml:5:1: not valid YAML: Tabs are not allowed as indentation; indent with spaces']],
  [
    'a quote that is not closed',
    [['cluster: web', 'cluster: "web']],
    [
      'web.yaml:1:10: not valid YAML: Missing closing "quote; look for what is not closed: a quote, a bracket, a brace; or for a missing colon or comma',
    ],
  ],
  [
    'a bracket that is not closed',
    [['[10.18.43.200-10.18.43.231]', '[10.18.43.200-10.18.43.231']],
    [
      'web.yaml:15:70: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; keys of one mapping, and items of one list, start in the same column; what a bracket opens is closed and indented',
    ],
  ],
  [
    'two values on one line',
    [['cluster: web', 'cluster: web: two']],
    [
      'web.yaml:1:10: not valid YAML: Nested mappings are not allowed in compact mappings; quote text that starts with a sign or holds ": " or " #"',
    ],
  ],
  [
    'a second document',
    [['nginx:', '---\nnginx:']],
    ['web.yaml:16:1: a second document begins here; one document is allowed: take the line --- away'],
  ],
  [
    'two keys that are there twice',
    [
      ['web2:', 'web1:'],
      ['dr2:', 'dr1:'],
    ],
    [
      'web.yaml:10:3: the key "dr1" is there twice; take one of the two away',
      'web.yaml:13:3: the key "web1" is there twice; take one of the two away',
    ],
  ],
  ['a list as a key', [['web2:', '? [web2]\n  :']], ['web.yaml:13:5: this key is not plain text; a key has no brackets, tag or alias']],
  [
    'an escape sequence that a terminal would obey',
    [['cluster: web', 'cluster: "\\\u009b"']],
    ['web.yaml:1:11: not valid YAML: Invalid escape sequence \\\\u{9b}; quote text that starts with a sign or holds ": " or " #"'],
  ],
  [
    'an unknown tag',
    [['id: 51', 'id: 51, auth_pass: !vault x']],
    [
      'web.yaml:2:28: not valid YAML: Unresolved tag: !vault; the only tag is !secret NAME; whole files of ansible-vault are read, single values are not (docs/secrets.md)',
    ],
  ],
  [
    'another unknown tag',
    [['id: 51', 'id: 51, auth_pass: !env x']],
    [
      'web.yaml:2:28: not valid YAML: Unresolved tag: !env; the only tag is !secret NAME, and NAME is letters, digits, "_", "." and "-" after a letter',
    ],
  ],
  [
    'a key of a list item a column too far left',
    [['clients:', 'vars:\n  all:\n    - vip: a\n     port: 80\nclients:']],
    [
      'web.yaml:17:6: not valid YAML: Sequence item without - indicator; keys of one mapping, and items of one list, start in the same column',
    ],
  ],
  [
    'a key without its colon',
    [['directors:', 'directors']],
    [
      'web.yaml:8:1: not valid YAML: Implicit keys need to be on a single line; a key ends with a colon: look for one that is missing on this line',
    ],
  ],
  [
    'a secret with an impossible name',
    [['id: 51', 'id: 51, auth_pass: !secret "a b"']],
    [
      'web.yaml:2:28: not valid YAML: "a b" cannot name a secret; the only tag is !secret NAME, and NAME is letters, digits, "_", "." and "-" after a letter',
    ],
  ],
  [
    'a secret where none is taken',
    [['cluster: web', 'cluster: !secret web']],
    ['web.yaml:1:18: cluster is the secret web; allowed: a name of at most 63 small letters, digits and hyphens'],
  ],
  [
    'text that pretends to be a secret',
    [['cluster: web', 'cluster: "\\uE000secret vrrp\\uE001"']],
    ['web.yaml:1:10: the characters U+E000 and U+E001 are kept for secrets; write !secret NAME'],
  ],
  [
    'a key that means something to JavaScript',
    [['clients:', '__proto__: { a: 1 }\nclients:']],
    ['web.yaml:14:1: "__proto__" cannot be a key; use another name'],
  ],
  [
    'an alias to nothing',
    [['cluster: web', 'cluster: *w']],
    ['web.yaml:1:10: "*w" refers to nothing; an alias stands after its &anchor, and outside it'],
  ],
  [
    'an alias to what it stands in',
    [['clients:', 'vars: &v { a: *v }\nclients:']],
    ['web.yaml:14:15: "*v" stands inside what it refers to; an alias stands after its &anchor, and outside it'],
  ],
];

it('an inventory of Ansible as an INI file is named as one', () => {
  const text = '# ours\n\n[directors]\ndr1 ansible_host=10.18.43.10\n\n[backends]\nweb1\n';
  expect(complaintsAbout(text)).toEqual(['web.yaml:1:1: this is an INI file; lvsctl reads YAML: see inventory/dr.yaml']);
});

describe('YAML that cannot be an inventory', () => {
  it.each(cases)('%s', (_what, edits, lines) => {
    expect(complaintsAbout(edited(...edits))).toEqual(lines);
  });
});

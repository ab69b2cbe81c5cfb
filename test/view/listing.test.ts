import { expect, test } from 'vitest';
import { secretSlot } from '../../src/sh/secret.ts';
import { listingText } from '../../src/view/listing.ts';

test('a list per play, with what was asked for and nothing else', () => {
  const tasks = [
    { name: `user <%= item %> ${secretSlot('db')}`, word: 'user', tags: ['a', 'b'] },
    { name: 'x\u001b[2J', word: 'group', tags: [] },
  ];
  const plays = [
    { name: 'first', pattern: 'web*', hosts: ['web1', 'web2'], tasks, checks: [] },
    { name: 'second', checks: [{ name: 'pages', word: 'real_server_page' }] },
  ];
  expect(listingText([{ playbook: 'site.yaml', plays }])).toBe(`playbook: site.yaml

  play #1 (web*): first
    hosts (2):
      web1
      web2
    tasks:
      user <%= item %> [secret db]  TAGS: [a, b]
      x\\x1b[2J  TAGS: []

  play #2: second
    checks:
      pages`);
});

import { expect, test } from 'vitest';
import { isChosen } from '../../src/playbook/tags.ts';
import { bindText, complaintOf } from './support.ts';

const book = `
- name: p
  hosts: web1
  tasks:
    - group: { name: plain }
    - group: { name: a }
      tags: a
    - group: { name: ab }
      tags: [a, b]
    - group: { name: ever }
      tags: always
    - group: { name: hardly }
      tags: [never, b]
- name: q
  hosts: web1
  tags: play
  tasks:
    - group: { name: q }
      tags: "a, c"
`;
const names = (tags: readonly string[], skipTags: readonly string[] = []) =>
  bindText(book, { tags, skipTags })
    .flatMap(({ steps }) => steps.web1?.map(({ want }) => (want as { name: string }).name) ?? [])
    .join(' ');

// What ansible-playbook does with the same tags (playbook/taggable.py).
test.each([
  [[], [], 'plain a ab ever q'],
  [['a'], [], 'a ab ever q'],
  [['b'], [], 'ab ever hardly'],
  [['play'], [], 'ever q'],
  [['c', 'never'], [], 'ever hardly q'],
  [['all'], [], 'plain a ab ever q'],
  [['tagged'], [], 'a ab ever q'],
  [['untagged'], [], 'plain ever'],
  [[], ['a'], 'plain ever'],
  [[], ['tagged'], 'plain'],
  [[], ['untagged'], 'a ab ever q'],
  [[], ['all'], 'ever'],
  [[], ['always'], 'plain a ab q'],
  [['a'], ['b'], 'a ever q'],
])('--tags %j --skip-tags %j: %s', (tags, skipTags, expected) => expect(names(tags, skipTags)).toBe(expected));

test('a tag that no task has is a slip', () => {
  expect(complaintOf(() => bindText(book, { tags: ['plya'] }))).toBe(
    'no task has the tag "plya"; did you mean "play"? there are: a, always, b, c, never, play',
  );
  expect(complaintOf(() => bindText('- name: p\n', { skipTags: ['x'] }))).toBe('no task has the tag "x"; no task has a tag');
});

test('what is not chosen is checked all the same', () => {
  expect(complaintOf(() => bindText('- name: p\n  tasks:\n    - gruop: { name: a }\n      tags: x\n', { skipTags: ['x'] }))).toMatch(
    /^book\.yaml:3:7: there is no task "gruop"/,
  );
});

test('whatever is skipped by name is not chosen', () => expect(isChosen(['always', 'x'], { tags: ['x'], skipTags: ['x'] })).toBe(false));

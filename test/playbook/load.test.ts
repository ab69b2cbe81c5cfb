import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { parsePlaybook } from '../../src/playbook/load.ts';

const complaint = (text: string): string => {
  try {
    parsePlaybook(text, 'book.yaml');
  } catch (error) {
    if (error instanceof LvsError && error.exitCode === 4) return formatError(error);
    throw error;
  }
  throw new Error('accepted');
};

test('a play with a task and a check', () => {
  const { plays } = parsePlaybook(
    '- name: p\n  hosts: web1\n  tasks:\n    - name: t\n      service: { name: x }\n      notify: a\n      when: true\n  checks:\n    - vip_arp:\n',
    'f',
  );
  expect(plays[0]).toMatchObject({
    hosts: { value: 'web1' },
    tasks: [
      {
        name: { value: 't' },
        task: 'service',
        params: { value: { name: 'x' } },
        notify: [{ value: 'a' }],
        when: [{ value: true }],
        where: { line: 5, column: 7 },
      },
    ],
    checks: [{ name: 'vip_arp', check: 'vip_arp' }],
  });
});

test.each([
  [
    '- name: p\n  task: []\n',
    'book.yaml:2:3: unknown key "task"; did you mean "tasks"? allowed: name, hosts, serial, max_fail, vars, tags, tasks, handlers, checks, gate',
  ],
  ['- name: p\n  tasks:\n    - name: t\n', 'book.yaml:3:7: nothing to do; name a task, such as "service: { name: nginx, state: started }"'],
  [
    '- name: p\n  tasks:\n    - service: {}\n      wehn: x\n',
    'book.yaml:4:7: two words in one entry: service and wehn; did you mean "when"?',
  ],
  ['- name: p\n  tasks:\n    - with_items: [a]\n      group: {}\n', 'book.yaml:3:7: there is no "with_items"; write loop'],
  ['- name: p\n  become: true\n', expect.stringMatching(/^book\.yaml:2:3: unknown key "become"; every task runs as root/)],
  ['- name: [\n', expect.stringMatching(/^book\.yaml:2:1: /)],
  ['just text', expect.stringMatching(/^book\.yaml:1:1: /)],
])('%j', (text, line) => expect(complaint(text)).toEqual(line));

test('any text is a playbook or a located complaint', () => {
  const pieces = fc.constantFrom(
    '- name: x\n',
    '  tasks:\n',
    '    - ',
    'service: {}\n',
    '  hosts: all\n',
    'when: [',
    '!secret a\n',
    '*x',
    '&x ',
    '"',
    '\n',
    '? ',
    '{',
    '}',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          parsePlaybook(text, 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(LvsError);
          expect((error as LvsError).where).toMatchObject({ file: 'f', line: expect.any(Number), column: expect.any(Number) });
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** A run whose look falls into the work of another one. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LvsError } from '../../src/errors.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const book = `- name: p
  hosts: web1
  tasks:
    - { name: one, copy: { dest: /srv/one, content: "as it was" } }
`;
const refused = (run: Promise<unknown>) =>
  run.then(
    () => undefined,
    ({ exitCode, where, message, hint }: LvsError) => ({ exitCode, said: `${where?.host}: ${message}; ${hint}` }),
  );

/** Ann's run has the host, and has done a part of its work. */
const begin = `mkdir -p /run/lvsctl/lock
read -r up rest </proc/uptime
printf '%s\\n' ann 'ann@control' 'lvsctl deploy a.yaml' >/run/lvsctl/lock/owner
printf '%s\\n' "\${up%%.*}" >/run/lvsctl/lock/beat
echo ann >/run/lvsctl/last
echo half >/srv/one
`;

test('what it would do was planned from half of that, and is refused, also when the other run ends while the question stands', async () => {
  hosts.shell('web1', begin);
  const answer = () => {
    hosts.shell('web1', 'rm -r /run/lvsctl/lock; echo whole >/srv/one');
    return { leaveOut: new Set<string>() };
  };
  expect(await refused(hosts.deploy(book, { answer }))).toEqual({
    exitCode: 6,
    said: 'web1: another run (ann) has touched it after this one had looked: nothing was touched; run it again',
  });
  expect(hosts.read('web1', 'one')).toBe('whole\n');
  expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, summary: { changed: 1 } });
});

test('one that is gone is taken over as ever', async () => {
  hosts.shell('web1', `${begin} printf '%s\\n' 1 >/run/lvsctl/lock/left`);
  expect(await hosts.deploy(book)).toMatchObject({
    exitCode: 0,
    summary: { changed: 1 },
    notes: ['web1: the lock that lvsctl deploy a.yaml by ann@control (run ann) had left behind was taken over'],
  });
});

import { expect, test } from 'vitest';
import { goldenCases, replay, taskNamed } from '../support/golden.ts';

test.each(goldenCases())('$task: $name', async ({ task, golden }) => {
  const { found, expected } = replay(await taskNamed(task), golden);
  expect(found).toEqual(expected);
});

/** What a teardown does not know of stays for ever. */
test.each(goldenCases())('$task: $name: every file that is written is kept before', async ({ task: name, golden }) => {
  const task = await taskNamed(name);
  const touched = task.touches(task.params.parse(golden.params));
  const written = golden.changes.flatMap(({ id }) => /^(?:content|attributes):(\/.*)$/s.exec(id)?.[1] ?? []);
  const kept = (path: string): boolean =>
    touched.some(
      (word) => [`file:${path}`, `directory:${path}`].includes(word) || (word.startsWith('tree:') && path.startsWith(`${word.slice(5)}/`)),
    );
  expect(written.filter((path) => !kept(path))).toEqual([]);
});

import { expect, test } from 'vitest';
import { goldenCases, replay, taskNamed } from '../support/golden.ts';

test.each(goldenCases())('$task: $name', async ({ task, golden }) => {
  const { found, expected } = replay(await taskNamed(task), golden);
  expect(found).toEqual(expected);
});

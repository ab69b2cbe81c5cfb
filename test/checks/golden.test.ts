import { expect, test } from 'vitest';
import { loadRegistry } from '../../src/playbook/registry.ts';
import { goldenChecks, replayCheck } from './support/golden.ts';

const { checks } = await loadRegistry();

test.each(goldenChecks())('$check: $name', ({ check, golden }) => {
  const definition = checks.get(check);
  if (!definition) throw new Error(`test/golden/checks/${check} has no check src/checks/${check}.ts`);
  expect(replayCheck(definition, golden)).toEqual(golden.findings);
});

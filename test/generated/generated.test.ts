import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyInventory, anyPlaybook } from './documents.ts';
import { judge, type Verdict } from './judge.ts';

/** `npm run test:generated` asks for 100,000. */
const numRuns = Number(process.env.LVSCTL_DOCUMENTS ?? 300);

test(`${numRuns} inventories and playbooks: a plan, or complaints with their place`, { timeout: 3_600_000 }, () => {
  const came = new Map<Verdict, number>();
  fc.assert(
    fc.property(fc.record({ inventory: anyInventory, playbook: anyPlaybook, answers: fc.nat() }), (documents) => {
      const verdict = judge(documents);
      came.set(verdict, (came.get(verdict) ?? 0) + 1);
    }),
    { numRuns },
  );
  console.info([...came].map(([verdict, times]) => `${times} × ${verdict}`).join(', '));
  // Documents that are always refused at once would show nothing of what comes after.
  expect([...came.keys()]).toEqual(expect.arrayContaining(['inventory refused', 'playbook refused', 'planned']));
});

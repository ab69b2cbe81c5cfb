import { expect, test } from 'vitest';
import { inventoryPage } from './page.ts';

// After a change of the schema: npx vitest run --project unit test/inventory/page.test.ts -u
test('docs/inventory.md is what the schema says', async () => {
  await expect(inventoryPage()).toMatchFileSnapshot('../../docs/inventory.md');
});

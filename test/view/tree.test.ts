import { afterEach, test, vi } from 'vitest';
import { watchTree } from '../../src/view/tree.ts';

afterEach(() => vi.restoreAllMocks());

test('it can be put away before it has begun, and later', async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  await watchTree(['web1', 'web2']).close();
  const watch = watchTree(['web1']);
  await new Promise((resolve) => setTimeout(resolve, 50));
  watch.emit({ kind: 'host', host: 'web1', doing: 'connect' });
  await watch.close();
}, 5000);

/** Hosts that promise one thing and send another, or nothing at all. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { fetchFile, sendFile } from '../../src/transport/send-file.ts';
import { wedged } from '../support/wedged.ts';

const folder = mkdtempSync(join(tmpdir(), 'lvsctl-endless-'));
const file = { from: '/var/cache/lvsctl/artefacts/x.tar.gz', to: join(folder, 'x') };
const zeros = '0'.repeat(64);
const nonceIn = (sent: string): string => /lvsctl-[0-9a-f]{24}/.exec(sent)?.[0] ?? '';

afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => rmSync(folder, { recursive: true }));

test('no more is taken than was promised', async () => {
  const host = wedged((sent) => `\n${nonceIn(sent)} ${zeros} 3\n${'x'.repeat(100_000)}`);
  await expect(fetchFile(host, file, () => undefined)).rejects.toThrow('the host promised 3 bytes, and sends more than it should');
  expect(readdirSync(folder)).toEqual([]);
});

test('no more is taken than anything of ours could be, whatever is promised', async () => {
  const host = wedged((sent) => `\n${nonceIn(sent)} ${zeros} 99999999999999\nx`);
  await expect(fetchFile(host, file, () => undefined)).rejects.toThrow(/promised 99999999999999 bytes/);
  expect(readdirSync(folder)).toEqual([]);
});

test('a host that takes nothing, or sends nothing, is not waited for for ever', async () => {
  const path = join(folder, 'sent');
  writeFileSync(path, 'hello');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const host = wedged(() => '');
  const sending = sendFile(host, { path, sha256: zeros, to: '/x', mode: '600' }, () => undefined).catch(String);
  const fetching = fetchFile(host, file, () => undefined).catch(String);
  // Both have to look at files of this machine first.
  while (vi.getTimerCount() < 2) await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(301_000);
  expect(await sending).toMatch(/was not sent to \/x: nothing has moved for 300 s$/);
  expect(await fetching).toMatch(/was not fetched: (nothing has moved for 300 s|the host did not answer)$/);
  rmSync(path);
});

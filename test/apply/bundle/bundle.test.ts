import { expect, test } from 'vitest';
import { bundleScript } from '../../../src/apply/bundle/bundle.ts';
import { layOut } from '../../../src/apply/bundle/run-folder.ts';
import { newNonce } from '../../../src/sh/frame.ts';
import { sh } from '../../../src/task.ts';
import { runScript } from '../../../src/transport/run-script.ts';
import { isolatedConnection } from '../../support/isolated.ts';

test('what another host has said of its failures is a word for the shell, whatever it is', async () => {
  const bundle = {
    id: 'run-0',
    nonce: newNonce(),
    jobs: [{ title: 'a job', run: sh`:`, timeout: 5 }],
    failed: ['0b;echo broken out;', '$(id)'],
  };
  const script = bundleScript(bundle, String).replace(/^exit 0$/m, 'sleep 1; cat /run/lvsctl/run-0/journal\nexit 0');
  const { stdout } = await runScript(isolatedConnection('dash'), script, { timeout: 20 });
  expect(stdout).toContain('finished ,0b;echo broken out;,$(id),');
  expect(stdout).not.toMatch(/^broken out$/m);
});

test('what does not fit into /run leaves nothing there', async () => {
  const full = isolatedConnection('dash', () => 'mount -t tmpfs -o size=64k none /run');
  const files = [
    { name: 'small', text: 'x' },
    { name: 'large', text: 'x'.repeat(100_000) },
  ];
  const { stdout } = await runScript(full, `( ${layOut('/run/lvsctl/run-0', files)}\n); echo "exit $?"; ls -A /run/lvsctl; exit 0\n`, {
    timeout: 20,
  });
  expect(stdout).toBe('exit 1\n');
});

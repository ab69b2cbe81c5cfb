import { z } from 'zod';
import { defineTask, type Output } from '../task.ts';
import { text } from './support/params.ts';
import { userShell } from './support/user-shell.ts';

const params = z.strictObject({
  run: text
    .min(1)
    .describe('Command that changes nothing, as POSIX sh reads it; run as root with every look at the host, in check mode too.'),
});

type Want = z.infer<typeof params>;

export default defineTask<Want, Output>({
  summary:
    'Asks the host something for later tasks: "register" keeps stdout, stderr, lines and exit, "until" asks again until they are right.',
  params,
  touches: () => [],
  probe: ({ run }) => userShell(run),
  parse: (output) => output,
  plan: () => [],
  settled: ({ run }, { exit }) => `${JSON.stringify(run.trim().split('\n')[0])} was asked; it ended with ${exit}`,
  registers: ({ stdout, stderr, exit }) => ({
    stdout,
    stderr,
    exit,
    lines: stdout.split('\n').slice(0, stdout.endsWith('\n') ? -1 : undefined),
  }),
  example: { run: 'uname -r' },
});

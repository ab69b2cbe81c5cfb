import { defineConfig } from 'vitest/config';

/**
 * unit: pure parts, no machine needed. transport: a real sshd on loopback. system: real package managers. lab: real kernels. One project after another, so that
 * timings of one do not starve the other on a small machine.
 */
export default defineConfig({
  test: {
    // Most of the time programs are waited for.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/transport/**', 'test/lab/**', 'test/system/**'],
          testTimeout: 60_000,
          // They are pure: a process of its own for each file takes longer than the tests.
          isolate: false,
        },
      },
      {
        test: {
          name: 'transport',
          // Some say how long a server may be silent: it must not be silent because another test is at work.
          fileParallelism: false,
          include: ['test/transport/**/*.test.ts'],
          env: { HOME: '/nonexistent' },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'system', include: ['test/system/**/*.test.ts'], testTimeout: 900_000 } },
      { test: { name: 'lab', include: ['test/lab/**/*.test.ts'], testTimeout: 3_600_000, hookTimeout: 3_600_000, fileParallelism: false } },
    ],
  },
});

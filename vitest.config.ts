import { defineConfig } from 'vitest/config';

/**
 * unit: pure parts, no machine needed. transport: a real sshd on loopback. system: real package managers. lab: real kernels. One project after another, so that
 * timings of one do not starve the other on a small machine.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/transport/**', 'test/lab/**', 'test/system/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'transport',
          include: ['test/transport/**/*.test.ts'],
          env: { HOME: '/nonexistent' },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'system', include: ['test/system/**/*.test.ts'], testTimeout: 900_000 } },
      { test: { name: 'lab', include: ['test/lab/**/*.test.ts'], testTimeout: 1_200_000, hookTimeout: 1_200_000, fileParallelism: false } },
    ],
  },
});

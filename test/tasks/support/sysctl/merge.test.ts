import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decisive,
  readingOrder,
  type SysctlFile,
  sysctlLines,
  sysctlName,
  sysctlPath,
} from '../../../../src/tasks/support/sysctl/merge.ts';

interface Recorded {
  readonly paths: readonly string[];
  readonly cases: readonly {
    readonly files: Readonly<Record<string, readonly string[]>>;
    readonly set: Readonly<Record<string, string>>;
  }[];
}

const recorded = JSON.parse(readFileSync(new URL('../../../golden/systemd-sysctl.json', import.meta.url), 'utf8')) as Recorded;

test.each(recorded.cases)('comes to what systemd-sysctl set: $set', ({ files, set }) => {
  const lines = sysctlLines(readingOrder(Object.entries(files).map(([path, text]) => file(path, ...text))));
  const found = recorded.paths.flatMap((path) => {
    const value = decisive(lines, path)?.value;
    return value === undefined ? [] : [[path, value]];
  });
  expect(Object.fromEntries(found)).toEqual(set);
});

describe('sysctlPath', () => {
  test.each([
    ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net/ipv4/ip_forward', 'net/ipv4/ip_forward'],
    ['/net/ipv4/ip_forward', 'net/ipv4/ip_forward'],
    ['net.ipv4.conf.eth0/100.arp_ignore', 'net/ipv4/conf/eth0.100/arp_ignore'],
    ['net/ipv4/conf/eth0.100/arp_ignore', 'net/ipv4/conf/eth0.100/arp_ignore'],
    ['net.ipv4.conf.eth0.100.arp_ignore', 'net/ipv4/conf/eth0/100/arp_ignore'],
  ])('%s is /proc/sys/%s', (key, path) => {
    expect(sysctlPath(key)).toBe(path);
  });

  test('comes back from the name that people are shown', () => {
    const part = fc.stringMatching(/^[a-z0-9_.-]*[a-z0-9]$/);
    fc.assert(
      fc.property(fc.constantFrom('net', 'vm'), fc.array(part, { minLength: 1 }), (first, more) => {
        const path = [first, ...more].join('/');
        expect(sysctlPath(sysctlName(path))).toBe(path);
      }),
    );
  });
});

test('a file hides those of its name in later folders, wherever its name stands in the order', () => {
  const order = readingOrder([
    file('/usr/lib/sysctl.d/10-a.conf', 'kernel.a = 1'),
    file('/etc/sysctl.d/90-z.conf', 'kernel.z = 1'),
    file('/etc/sysctl.d/10-a.conf'),
    file('/etc/sysctl.conf', 'kernel.a = 2'),
  ]);
  expect(order.map(({ path }) => path)).toEqual(['/etc/sysctl.d/10-a.conf', '/etc/sysctl.d/90-z.conf']);
});

function file(path: string, ...lines: readonly string[]): SysctlFile {
  return { path, real: path, content: lines.map((line) => `${line}\n`).join('') };
}

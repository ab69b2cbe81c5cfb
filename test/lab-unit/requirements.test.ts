import { describe, expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { labName } from '../../src/lab/places.ts';
import { checkRequirements, type Machine } from '../../src/lab/requirements.ts';
import { hasWideRegisters } from '../../src/lab/wide-registers.ts';
import { labFleet } from '../lab/rehearsal-fleet.ts';

const good: Machine = {
  platform: 'linux',
  architecture: 'x64',
  root: true,
  wideRegisters: false,
  hasCommand: () => true,
  hasFile: () => true,
};

function complaint(machine: Partial<Machine>): string {
  try {
    checkRequirements({ ...good, ...machine });
    return '';
  } catch (error) {
    if (!(error instanceof LvsError) || error.exitCode !== 4) throw error;
    return formatError(error);
  }
}

describe('what the lab needs of this machine', () => {
  test('is enough', () => {
    expect(complaint({})).toBe('');
  });

  test('missing packages are named all at once, with the one command that mends it', () => {
    const absent = ['patchelf', 'mmdebstrap', 'unshare', 'setpriv'];
    expect(complaint({ hasCommand: (name) => !absent.includes(name) })).toBe(
      'the lab needs patchelf, mmdebstrap, setpriv, unshare; `apt-get install --no-install-recommends patchelf mmdebstrap util-linux` as root mends it',
    );
  });

  test('a processor with AMX needs a compiler too', () => {
    expect(complaint({ wideRegisters: true })).toBe('');
    expect(complaint({ wideRegisters: true, hasCommand: (name) => name !== 'gcc' })).toMatch(/needs gcc; .* gcc` as root/);
    expect(complaint({ hasCommand: (name) => name !== 'gcc' })).toBe('');
  });

  test('whether a processor has AMX is read from its flags', () => {
    expect(hasWideRegisters('processor\t: 0\nflags\t\t: fpu avx512f amx_bf16 amx_tile amx_int8\n')).toBe(true);
    expect(hasWideRegisters('processor\t: 0\nflags\t\t: fpu avx512f\n')).toBe(false);
  });

  test.each([
    [{ platform: 'darwin' }, /needs Linux; this is darwin/],
    [{ architecture: 'arm64' }, /this is arm64/],
    [{ hasCommand: () => false }, /needs Debian/],
    [{ root: false }, /needs root.*sudo/],
    [{ hasFile: () => false }, /\/dev\/net\/tun.*modprobe tun/],
  ])('%o is one line that says what to do', (machine, expected) => {
    expect(complaint(machine)).toMatch(expected);
    expect(complaint(machine)).not.toContain('\n');
  });
});

describe('the name of a lab', () => {
  test('differs by inventory file, and is safe whatever the cluster is called', () => {
    const name = (cluster: string, file = 'a.yaml') => labName({ ...labFleet(file, []), cluster });
    expect(name('web')).not.toBe(name('web', 'b.yaml'));
    for (const cluster of ['web', '../../etc', 'a b', '', '-'.repeat(80), 'ÄÖÜ', 'x'.repeat(200)]) {
      expect(name(cluster)).toMatch(/^[a-z0-9][a-z0-9-]{0,31}$/);
    }
  });
});

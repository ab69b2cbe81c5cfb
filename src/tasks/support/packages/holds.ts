/** Versions that are to stay as they are: what is kept by whom, and how that is changed. */
import { type Change, type Facts, refuse } from '../../../task.ts';
import { holdPackages, releasePackages } from './install.ts';
import type { SeenPackages } from './state.ts';

/** Of these, what somebody keeps at some version. */
export function kept({ held, half }: SeenPackages, names: readonly string[]): readonly string[] {
  return names.filter((name) => held.has(name) || half.has(name));
}

/** Throws `refused` where the step does not say what is to become of a hold that is in its way. */
export function refuseHeld(
  names: readonly string[],
  want: { readonly state: 'present' | 'absent'; readonly hold?: boolean | undefined },
): void {
  if (names.length === 0 || want.hold !== undefined) return;
  throw refuse(
    `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} held: somebody has decided to keep the version`,
    want.state === 'absent'
      ? 'write "hold: false", if that is no longer so'
      : 'write "hold: false", or "hold: true" for the version of this step',
  );
}

interface Named {
  readonly names: readonly string[];
  /** Of these, what has been let go just before. */
  readonly released: readonly string[];
}

/** After the installation: what is held is the version that is there then. */
export function holdChange({ installed, held, half }: SeenPackages, { names, released }: Named, facts: Facts): readonly Change[] {
  const free = names.filter((name) => !held.has(name) || !installed.has(name) || released.includes(name));
  if (free.length === 0) return [];
  const state = (name: string) => (half.has(name) && !released.includes(name) ? 'locked at other versions' : 'not held');
  return [
    {
      id: `hold:${free.join(',')}`,
      title: `hold ${free.join(', ')} at ${free.length === 1 ? 'its version' : 'their versions'}`,
      was: free.map((name) => `${name} ${state(name)}\n`).join(''),
      will: free.map((name) => `${name} held\n`).join(''),
      run: holdPackages(facts.packageManager, free),
      timeout: 120,
    },
  ];
}

export function releaseChange(names: readonly string[], facts: Facts): readonly Change[] {
  if (names.length === 0) return [];
  return [
    {
      id: `release:${names.join(',')}`,
      title: `hold ${names.join(', ')} no longer`,
      was: names.map((name) => `${name} held\n`).join(''),
      will: names.map((name) => `${name} not held\n`).join(''),
      run: releasePackages(facts.packageManager, names),
      timeout: 120,
    },
  ];
}

/** The refusal of a host on which nothing can be held. */
export function cannotHold({ noHold }: SeenPackages): Error {
  const switchedOff = noHold.includes('switched off');
  return refuse(
    `packages cannot be held here: ${noHold}`,
    switchedOff ? 'write "enabled = 1" in /etc/dnf/plugins/versionlock.conf' : 'install the package python3-dnf-plugin-versionlock first',
  );
}

/** What systemd says of several units, with one process. */
import { type Sh, sh } from '../../../task.ts';

export interface ShownUnit {
  readonly loaded: boolean;
  readonly active: boolean;
  /** Starts with the host. */
  readonly enabled: boolean;
  /** Its file on disk is newer than what systemd has read. */
  readonly stale: boolean;
  /** Where the unit's own file lies; empty where there is none. */
  readonly path: string;
}

/** Nothing of use without a running systemd. Goes last in a probe. */
export function showUnits(units: readonly string[]): Sh {
  return sh`systemctl show -p LoadState -p ActiveState -p UnitFileState -p NeedDaemonReload -p FragmentPath -- ${units} 2>/dev/null`;
}

/** One per unit, in the order of `showUnits`; survives any output. */
export function parseUnits(shown: string, units: readonly string[]): readonly ShownUnit[] {
  const blocks = shown.trim().split('\n\n');
  return units.map((_, index) => {
    const said = (key: string): string => new RegExp(`^${key}=([^\\p{C}]*)$`, 'mu').exec(blocks[index] ?? '')?.[1] ?? '';
    return {
      loaded: said('LoadState') === 'loaded',
      active: said('ActiveState') === 'active',
      enabled: said('UnitFileState') === 'enabled',
      stale: said('NeedDaemonReload') === 'yes',
      path: said('FragmentPath'),
    };
  });
}

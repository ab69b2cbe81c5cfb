import type { Fleet } from '../model.ts';
import { clearLab } from './clear.ts';
import { withLabLock } from './lock.ts';
import { labName } from './places.ts';

/** Takes a lab away: machines, network, files; the image stays. Returns false when there was none. */
export async function labDown(lab: Fleet | string): Promise<boolean> {
  const name = typeof lab === 'string' ? lab : labName(lab);
  return withLabLock(name, () => clearLab(name));
}

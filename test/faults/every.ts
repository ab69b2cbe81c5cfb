import type { Fault } from './fault.ts';
import { hostFaults } from './rows/host.ts';
import { killFaults } from './rows/killed.ts';
import { labFaults } from './rows/lab.ts';
import { lineFaults } from './rows/lines.ts';
import { loginFaults } from './rows/logins.ts';
import { otherFaults } from './rows/others.ts';
import { printFaults } from './rows/prints.ts';
import { readerFaults } from './rows/reader.ts';
import { rollbackFaults } from './rows/rollback.ts';
import { signalFaults } from './rows/signals.ts';

export { labFaults };

/** Over sshd. */
export const every: readonly Fault[] = [
  ...lineFaults,
  ...killFaults,
  ...signalFaults,
  ...hostFaults,
  ...printFaults,
  ...loginFaults,
  ...otherFaults,
  ...readerFaults,
  ...rollbackFaults,
];

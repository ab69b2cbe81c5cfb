import type { Fault } from './fault.ts';
import { killFaults } from './rows/killed.ts';
import { lineFaults } from './rows/lines.ts';

export const every: readonly Fault[] = [...lineFaults, ...killFaults];

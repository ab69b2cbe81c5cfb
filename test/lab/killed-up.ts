/** Brings up the lab of one machine that its argument names, and says on stdout what it does: a process for a test to kill. */
import { labUp } from '../../src/lab/up.ts';
import { labFleet, s0Hosts } from './rehearsal-fleet.ts';

await labUp(labFleet(process.argv[2] ?? '', s0Hosts().slice(2, 3)), (line) => process.stdout.write(`${line.stage}\n`));

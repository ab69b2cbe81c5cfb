/** `--start-at`: the run begins with a task, by its name; what comes before it is left out. */
import { EXIT, LvsError } from '../errors.ts';
import { nearest } from '../inventory/nearest.ts';
import type { Step } from '../model.ts';

interface WithSteps {
  readonly steps: Readonly<Record<string, readonly Step[]>>;
}

/** Throws LvsError (exit 4) for a name that no task of these plays has: nothing would be done, in silence. */
export function fromTask<Play extends WithSteps>(plays: readonly Play[], name: string): readonly Play[] {
  const all = plays.flatMap(({ steps }) => Object.values(steps).flat());
  const first = all.find((step) => step.name === name);
  if (!first) {
    const names = [...new Set(all.map((step) => step.name))];
    const close = nearest(name, names);
    const hint = close ? `did you mean "${close}"?` : `there are: ${names.join(', ')}`;
    throw new LvsError(`--start-at: no task is called ${JSON.stringify(name)}`, {
      code: 'playbook.start-at',
      exitCode: EXIT.badInput,
      hint,
    });
  }
  const from = position(first);
  const rest = (steps: readonly Step[]): readonly Step[] => steps.filter((step) => isAtOrAfter(position(step), from));
  return plays.map((play) => ({
    ...play,
    steps: Object.fromEntries(Object.entries(play.steps).map(([host, steps]) => [host, rest(steps)])),
  }));
}

/** Play and task; the turn of a loop does not count. */
function position({ id }: Step): readonly [number, number] {
  const [play = 0, task = 0] = id.split('.').map(Number);
  return [play, task];
}

function isAtOrAfter([play, task]: readonly [number, number], [fromPlay, fromTask]: readonly [number, number]): boolean {
  return play > fromPlay || (play === fromPlay && task >= fromTask);
}

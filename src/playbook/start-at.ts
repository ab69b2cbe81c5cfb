/** `--start-at`: the run begins with a task, by its name; what comes before it is left out. */
import { EXIT, LvsError } from '../errors.ts';
import { nearest } from '../inventory/nearest.ts';
import type { Step } from '../model.ts';

interface WithSteps {
  readonly steps: Readonly<Record<string, readonly Step[]>>;
}

/**
 * Throws LvsError (exit 4) for a name that no task of these plays has: nothing would be done, in silence. What becomes known of hosts later
 * does not move the beginning: `first` are the plays as they were bound before.
 */
export function fromTask<Play extends WithSteps>(plays: readonly Play[], name: string, first: readonly Play[] = plays): readonly Play[] {
  const all = first.flatMap(({ steps }) => Object.values(steps).flat());
  const begin = all.find((step) => step.name === name);
  if (!begin) {
    const names = [...new Set(all.map((step) => step.name))];
    const close = nearest(name, names);
    const hint = close ? `did you mean "${close}"?` : `there are: ${names.join(', ')}`;
    throw new LvsError(`--start-at: no task is called ${JSON.stringify(name)}`, {
      code: 'playbook.start-at',
      exitCode: EXIT.badInput,
      hint,
    });
  }
  const from = position(begin);
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

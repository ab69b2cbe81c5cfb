import type { LabProgress } from './progress.ts';

/**
 * Turns what mmdebstrap and apt say into steps. Keep one per build: it counts packages, and knows their number once apt has said it.
 * Returns undefined for a line that starts no step.
 */
export function buildProgress(): (line: string) => LabProgress | undefined {
  let total = 0;
  let unpacked = 0;
  let configured = 0;
  return (line) => {
    const count = /^\d+ upgraded, (\d+) newly installed/.exec(line);
    if (count) {
      total = Number(count[1]);
      unpacked = configured = 0;
      return undefined;
    }
    const fetched = /^Get:(\d+) \S+ \S+ \S+ (\S+) \S+ \S+ \[/.exec(line);
    if (fetched && total > 0) return step(`fetches ${fetched[2]}`, Number(fetched[1]), total);
    const name = /^(Unpacking|Setting up) ([^\s:]+)/.exec(line);
    if (name?.[1] === 'Unpacking') return step(`unpacks ${name[2]}`, ++unpacked, total);
    if (name?.[1] === 'Setting up') return step(`sets up ${name[2]}`, ++configured, total);
    const stage = /^I: (running apt-get update|installing [a-z]+ packages|extracting archives|cleaning package lists)/.exec(line);
    return stage ? { stage: 'image', doing: stage[1] ?? '' } : undefined;
  };
}

function step(doing: string, done: number, total: number): LabProgress {
  return done <= total ? { stage: 'image', doing, done, total } : { stage: 'image', doing };
}

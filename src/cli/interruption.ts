/** Ctrl-C, a closed terminal, a TERM: at once where nothing is touched yet; else what is at work is finished first, unless asked again. */
import { EXIT, LvsError } from '../errors.ts';
import { sayAside } from '../view/say.ts';

export interface Interruption {
  readonly stop: AbortSignal;
  /** From now on the first signal only asks to stop. */
  readonly touching: () => void;
  /** Signals end the process again as ever. */
  readonly over: () => void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `resume` is the command line that goes on with the run; `show` puts a line where the live view does not wipe it. */
export function listenForInterruption(resume: string, show: (line: string) => void): Interruption {
  const asked = new AbortController();
  let touched = false;
  const leave = (line: string): never => {
    // The live view has hidden it.
    if (process.stdout.isTTY) process.stdout.write('\u001b[?25h');
    sayAside(`\n${line}`);
    process.exit(EXIT.interrupted);
  };
  const hear = (signal: NodeJS.Signals): void => {
    if (!touched) leave('interrupted: nothing was touched');
    // A terminal that is closed says so twice, once by its shell and once by the kernel: nobody has asked again.
    if (asked.signal.aborted && signal === 'SIGHUP') return;
    if (asked.signal.aborted) leave(`interrupted: what is at work on the hosts goes on there to its end; "${resume}" takes it up`);
    asked.abort();
    show('stops as soon as each host has finished the step it is at (once more: leaves at once)');
  };
  for (const signal of signals) process.on(signal, hear);
  return {
    stop: asked.signal,
    touching: () => {
      touched = true;
    },
    over: () => {
      for (const signal of signals) process.off(signal, hear);
    },
  };
}

/** An answer on the terminal, which Ctrl-C there ends in a way of its own. */
export async function orInterrupted(answer: Promise<string>): Promise<string> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
    throw new LvsError('interrupted: nothing was touched', { code: 'cli.interrupted', exitCode: EXIT.interrupted });
  }
}

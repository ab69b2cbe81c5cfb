/** A run as plain lines for pipes and logs: what begins, what it came to, and progress at every tenth. No cursor movement. */
import type { Event } from '../model.ts';
import { printable } from './printable.ts';
import type { Watch } from './watch.ts';

export function watchLines(write: (line: string) => void): Watch {
  const tenths = new Map<string, number>();
  const emit = (event: Event): void => {
    if (event.kind === 'end') {
      const detail = event.result === 'failed' ? `: ${printable(event.detail)}` : '';
      write(
        `${event.host}: ${event.result === 'already' ? 'already so' : event.result}: ${event.title} (${event.seconds.toFixed(1)} s)${detail}`,
      );
    } else if (event.kind === 'begin') {
      write(`${event.host}: ${event.title}`);
    } else if (event.kind === 'progress' && event.total > 0) {
      const key = `${event.host} ${event.title}`;
      const tenth = Math.floor((event.done / event.total) * 10);
      if (tenth > (tenths.get(key) ?? 0)) {
        tenths.set(key, tenth);
        write(`${event.host}: ${event.title}: ${tenth * 10}% (${event.done} of ${event.total} ${event.unit})`);
      }
    }
  };
  return { emit, close: async () => {} };
}

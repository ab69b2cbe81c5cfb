/** A run as plain lines for pipes and logs: what begins, what it came to, and progress in steps. No cursor movement. */
import type { Event } from '../model.ts';
import { printable } from './printable.ts';
import type { Watch } from './watch.ts';

/** Where the total is not known, a line for so many units. */
const unknownEvery = 50;

export function watchLines(out: (line: string) => void): Watch {
  const write = (line: string): void => out(printable(line));
  const marks = new Map<string, number>();
  const emit = (event: Event): void => {
    if (event.kind === 'end') {
      const detail = event.result === 'failed' ? `: ${event.detail}` : '';
      write(
        `${event.host}: ${event.result === 'already' ? 'already so' : event.result}: ${event.title} (${event.seconds.toFixed(1)} s)${detail}`,
      );
    } else if (event.kind === 'begin') {
      write(`${event.host}: ${event.title}`);
    } else if (event.kind === 'progress') {
      const key = `${event.host} ${event.title} ${event.unit}`;
      const mark = Math.floor(event.total > 0 ? (event.done / event.total) * 10 : event.done / unknownEvery);
      if (mark > (marks.get(key) ?? 0)) write(`${event.host}: ${event.title}: ${amount(event)}`);
      marks.set(key, mark);
    }
  };
  return { emit, stops: write, close: async () => {} };
}

function amount({ done, total, unit }: Extract<Event, { kind: 'progress' }>): string {
  return total > 0 ? `${Math.floor((done / total) * 100)}% (${done} of ${total} ${unit})` : `${done} ${unit}`;
}

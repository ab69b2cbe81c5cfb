/** The live tree: a line per host with what it is doing now and for how long, and a bar where an amount is known. */
import { Listr, type ListrTaskWrapper } from 'listr2';
import type { Event } from '../model.ts';
import { printable } from './printable.ts';
import type { Watch } from './watch.ts';

// biome-ignore lint/suspicious/noExplicitAny: listr2's wrapper is generic over its renderers, which do not matter here
type Wrapper = ListrTaskWrapper<any, any, any>;

interface Row {
  readonly wrapper: Wrapper;
  readonly finish: () => void;
  doing: string;
  detail: string;
  /** When it began, in milliseconds. */
  since: number;
}

const barWidth = 24;

export function watchTree(hosts: readonly string[]): Watch {
  const rows = new Map<string, Row>();
  // The list begins a moment later; what has happened by then is not lost.
  const early = new Map<string, Event>();
  // It may be put away before it has begun: for a question at the very first.
  let closed = false;
  const width = Math.max(...hosts.map((host) => host.length));
  const list = new Listr(
    hosts.map((host) => ({
      title: host,
      task: (_: unknown, wrapper: Wrapper) =>
        new Promise<void>((finish) => {
          if (closed) return finish();
          const row = newRow(wrapper, finish);
          rows.set(host, row);
          const event = early.get(host);
          if (event) note(row, event);
        }),
    })),
    // What a signal does is not for the view to say.
    { concurrent: true, registerSignalListeners: false, rendererOptions: { collapseSubtasks: false, clearOutput: true } },
  );
  const shown = list.run();
  let last = '';
  const draw = (): void => {
    for (const [host, row] of rows) row.wrapper.title = title(host.padEnd(width), row, row.doing && last);
  };
  const clock = setInterval(draw, 500);
  return {
    emit: (event) => {
      const row = rows.get(event.host);
      if (!row) {
        early.set(event.host, event);
        return;
      }
      note(row, event);
      draw();
    },
    stops: () => {
      last = '(the last one: it stops then)';
      draw();
    },
    close: async () => {
      clearInterval(clock);
      closed = true;
      for (const row of rows.values()) row.finish();
      rows.clear();
      await shown;
    },
  };
}

function newRow(wrapper: Wrapper, finish: () => void): Row {
  return { wrapper, finish, doing: '', detail: '', since: Date.now() };
}

function note(row: Row, event: Event): void {
  const doing = event.kind === 'host' ? event.doing : event.kind === 'end' && event.result !== 'failed' ? '' : event.title;
  if (doing !== row.doing) row.since = Date.now();
  row.doing = doing;
  row.detail = event.kind === 'progress' ? bar(event) : event.kind === 'end' && event.result === 'failed' ? 'failed' : '';
}

function title(host: string, row: Row, more: string): string {
  const seconds = Math.round((Date.now() - row.since) / 1000);
  const line = [host, row.doing, row.detail, row.doing && seconds > 0 ? `${seconds} s` : '', more].filter(Boolean).join('  ');
  return printable(line).slice(0, Math.max(20, (process.stdout.columns ?? 80) - 4));
}

/** A bar where the total is known; otherwise only the amount: a bar that guesses would lie. */
function bar({ done, total, unit }: Extract<Event, { kind: 'progress' }>): string {
  if (total <= 0) return `${done} ${unit}`;
  const part = Math.min(1, done / total);
  const full = Math.round(part * barWidth);
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${String(Math.floor(part * 100)).padStart(3)}% ${done}/${total} ${unit}`;
}

/** What one host's part of a batch is made of, and how it is cut into scripts. */
import type { Change, HostPlan, StepPlan, Touched } from '../../model.ts';
import { type Placed, placeInBlocks } from './blocks.ts';

/** One change on its way to a host. */
export interface Item {
  readonly step: StepPlan['step'];
  readonly change: Change;
  /** Only lays ready and checks what another item of the same change puts in force. */
  readonly staging?: boolean;
  readonly placed: Placed;
  /** Absent: nothing that would have to be kept. */
  readonly touches?: readonly Touched[] | undefined;
}

/** Items that run in one go, on one host. */
export interface Script {
  readonly items: readonly Item[];
  /** The host it runs on, where that is not the plan's own. */
  readonly on?: string | undefined;
  /** It begins on all hosts of the batch together, once each has come to this point. */
  readonly together: boolean;
}

/** The plan's changes in order; one of risk `split` is there twice. */
export function itemsOf({ steps }: HostPlan): readonly Item[] {
  const all = steps.flatMap(({ step, changes, touches }) =>
    changes.flatMap((change) =>
      change.stage
        ? [
            { step, change, touches, staging: true },
            { step, change, touches },
          ]
        : [{ step, change, touches }],
    ),
  );
  const placed = placeInBlocks(all.map(({ step }) => step.frames ?? []));
  return all.map((item, index) => ({ ...item, placed: placed[index] ?? { frames: 'top', closes: [] } }));
}

/**
 * A new script begins before a change that takes an artefact which this host does not make itself, after one that makes one, where a step
 * is done on another host, and around a change that is put in force on all hosts together: nothing may come between it and its handlers.
 */
export function cutIntoScripts(items: readonly Item[]): readonly Script[] {
  const own = new Set(items.flatMap(({ change }) => (change.on === undefined ? (change.produces?.key ?? []) : [])));
  const scripts: { items: Item[]; on: string | undefined; together: boolean }[] = [];
  let closed = true;
  for (const item of items) {
    const { change, step } = item;
    const waits = change.consumes !== undefined && !own.has(change.consumes.key);
    const together = change.stage !== undefined && !item.staging;
    const last = scripts.at(-1);
    const on = change.on ?? step.on;
    if (closed || waits || together || last?.on !== on) scripts.push({ items: [item], on, together });
    else last?.items.push(item);
    closed = change.produces !== undefined || together;
  }
  return scripts;
}

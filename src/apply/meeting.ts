/** Where the hosts of a batch wait for each other, so that what they must agree on changes on all of them in the same instant. */
import type { Change, HostPlan, Step } from '../model.ts';
import { type Deferred, deferred } from '../transport/deferred.ts';

export interface Meetings {
  /**
   * Resolves when every host that makes this change has arrived, and `check` of each of them still holds then: some have waited long. Rejects,
   * with the reason, when one will not come, or not any more: on all of them.
   */
  arrive(host: string, step: Step, change: Change, check: () => Promise<void>): Promise<void>;
  /** The host comes to no meeting any more. */
  leave(host: string, reason: string): void;
}

interface Meeting {
  readonly awaited: Set<string>;
  readonly checks: (() => Promise<void>)[];
  readonly all: Deferred<void>;
}

/** One for each change of each step that is made together. `hosts` are those that are really begun. */
export function newMeetings(hosts: readonly HostPlan[]): Meetings {
  const meetings = new Map<string, Meeting>();
  for (const { host, steps } of hosts)
    for (const { step, changes } of steps)
      for (const change of changes) {
        if (!change.stage) continue;
        const key = keyOf(step, change);
        const meeting = meetings.get(key) ?? newMeeting();
        meeting.awaited.add(host);
        meetings.set(key, meeting);
      }
  return {
    async arrive(host, step, change, check) {
      const meeting = meetings.get(keyOf(step, change));
      meeting?.checks.push(() => check().catch((error: Error) => Promise.reject(notReady(host, error.message))));
      meeting?.awaited.delete(host);
      if (meeting?.awaited.size === 0)
        Promise.all(meeting.checks.map((each) => each())).then(() => meeting.all.resolve(), meeting.all.reject);
      await meeting?.all.promise;
    },
    leave: (host, reason) => {
      for (const { awaited, all } of meetings.values()) if (awaited.has(host)) all.reject(notReady(host, reason));
    },
  };
}

function notReady(host: string, reason: string): Error {
  return new Error(`${host} did not get ready: ${reason}; nothing was put in force anywhere`);
}

function keyOf({ id }: Step, change: Change): string {
  return `${id} ${change.id}`;
}

function newMeeting(): Meeting {
  const all = deferred<void>();
  // A host that leaves a meeting of its own alone reports that itself.
  all.promise.catch(() => {});
  return { awaited: new Set(), checks: [], all };
}

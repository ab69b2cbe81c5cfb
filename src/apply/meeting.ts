/** Where the hosts of a batch wait for each other, so that what they must agree on changes on all of them in the same instant. */
import type { HostPlan } from '../model.ts';

export interface Meeting {
  /** Resolves when every host has arrived; rejects, with the reason, when one will not come. */
  arrive(host: string): Promise<void>;
  leave(host: string, reason: string): void;
}

export function newMeeting(hosts: readonly HostPlan[]): Meeting {
  const awaited = new Set(hosts.filter(takesPart).map(({ host }) => host));
  let open: () => void = () => {};
  let cancel: (reason: Error) => void = () => {};
  const all = new Promise<void>((resolve, reject) => {
    open = resolve;
    cancel = reject;
  });
  // A host that leaves a meeting of its own alone reports that itself.
  all.catch(() => {});
  return {
    arrive(host) {
      awaited.delete(host);
      if (awaited.size === 0) open();
      return all;
    },
    leave: (host, reason) => {
      if (awaited.has(host)) cancel(new Error(`${host} did not get ready: ${reason}; nothing was put in force anywhere`));
    },
  };
}

function takesPart({ status, steps }: HostPlan): boolean {
  return status === 'planned' && steps.some(({ changes }) => changes.some(({ stage }) => stage));
}

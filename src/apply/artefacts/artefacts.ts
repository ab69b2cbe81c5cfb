/** Artefacts on their way: built on one host, kept in the control machine's cache, waited for by the others. */
import type { HostPlan } from '../../model.ts';
import { type Deferred, deferred } from '../../transport/deferred.ts';
import { heldArtefacts, type Store } from './store.ts';

export interface Builds {
  /** From now on, others may wait for what these hosts build; each must be begun. */
  expect(hosts: readonly HostPlan[]): void;
  /** Resolves when the artefact is in the store; rejects, with the reason, when its builder failed. */
  wait(key: string): Promise<void>;
  finish(key: string): void;
  fail(key: string, reason: string): void;
}

/** A promise for every artefact that a batch builds; those in the store are there already. */
export function newBuilds(store: Store): Builds {
  const pending = new Map<string, Deferred<void>>();
  return {
    expect(hosts) {
      const changes = hosts.flatMap((host) => host.steps.flatMap((step) => step.changes));
      for (const { produces } of changes) {
        if (!produces || pending.has(produces.key)) continue;
        const build = deferred<void>();
        // A build that nobody waits for may fail without being an unhandled rejection: its own host reports it.
        build.promise.catch(() => {});
        pending.set(produces.key, build);
      }
    },
    async wait(key) {
      const build = pending.get(key);
      if (build) await build.promise;
      else if (!heldArtefacts(store).has(key)) throw new Error(`no host that is still at work builds ${key}`);
    },
    finish: (key) => pending.get(key)?.resolve(),
    fail: (key, reason) => pending.get(key)?.reject(new Error(reason)),
  };
}

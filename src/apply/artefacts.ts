/** Artefacts on their way: built on one host, kept in the control machine's cache, waited for by the others. */
import type { Plan } from '../model.ts';
import { heldArtefacts, type Store } from './store.ts';

export interface Builds {
  /** Resolves when the artefact is in the store; rejects, with the reason, when its builder failed. */
  wait(key: string): Promise<void>;
  finish(key: string): void;
  fail(key: string, reason: string): void;
}

/** A promise for every artefact that the plan builds; those in the store are there already. */
export function newBuilds(plan: Plan, store: Store): Builds {
  const changes = plan.batches.flatMap((batch) => batch.hosts.flatMap((host) => host.steps.flatMap((step) => step.changes)));
  const pending = new Map(changes.flatMap((change) => (change.produces ? [[change.produces.key, deferred()] as const] : [])));
  return {
    async wait(key) {
      const build = pending.get(key);
      if (build) await build.promise;
      else if (!heldArtefacts(store).has(key)) throw new Error(`nothing in this plan builds ${key}`);
    },
    finish: (key) => pending.get(key)?.resolve(),
    fail: (key, reason) => pending.get(key)?.reject(new Error(reason)),
  };
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function deferred(): Deferred {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // A build that nobody waits for may fail without being an unhandled rejection: its own host reports it.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

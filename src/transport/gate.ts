/** Lets so many in at once, in the order in which they came. The number shrinks when the host turns out to allow fewer. */

export interface Gate {
  /** Waits for a place. Throws what `fail` was given. */
  enter(): Promise<Place>;
  /** Nobody gets in any more: those who wait, and those who come, are thrown `error`. */
  fail(error: Error): void;
}

export interface Place {
  /** Gives the place back; a second call does nothing. */
  leave(): void;
  /** True when nobody else has a place. */
  alone(): boolean;
  /** The host does not allow as many as are in: lowers the number, and waits, before all who came later, until another has left. */
  stepBack(): Promise<void>;
}

interface Waiting {
  readonly ticket: number;
  readonly wake: () => void;
  readonly fail: (error: Error) => void;
}

export function createGate(places: number): Gate {
  let limit = places;
  let taken = 0;
  let tickets = 0;
  let failure: Error | undefined;
  const waiting: Waiting[] = [];

  const release = (): void => {
    taken -= 1;
    admit();
  };
  const admit = (): void => {
    while (taken < limit) {
      const next = waiting.shift();
      if (!next) return;
      taken += 1;
      next.wake();
    }
  };
  const queue = (ticket: number): Promise<void> =>
    new Promise((wake, fail) => {
      if (failure) return fail(failure);
      waiting.push({ ticket, wake, fail });
      waiting.sort((one, other) => one.ticket - other.ticket);
      admit();
    });
  const place = (ticket: number): Place => {
    let held = true;
    return {
      leave() {
        if (held) release();
        held = false;
      },
      alone: () => taken === 1,
      async stepBack() {
        limit = Math.max(1, Math.min(limit, taken - 1));
        taken -= 1;
        held = false;
        await queue(ticket);
        held = true;
      },
    };
  };
  return {
    async enter() {
      const ticket = tickets++;
      await queue(ticket);
      return place(ticket);
    },
    fail(error) {
      failure ??= error;
      for (const one of waiting.splice(0)) one.fail(failure);
    },
  };
}

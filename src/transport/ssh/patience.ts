/** How long a host may take. The clock stands still while a person is asked, and starts afresh afterwards. */
export interface Patience {
  readonly start: (ring: () => void) => void;
  readonly stop: () => void;
  /** Waits for what a person answers, without the clock. */
  readonly without: <Answer>(ask: () => Promise<Answer>) => Promise<Answer>;
}

/** `left` milliseconds are left when it starts; `whole` after a person was asked. */
export function createPatience(whole: number, left: () => number): Patience {
  let timer: NodeJS.Timeout | undefined;
  let ring: (() => void) | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    ring = undefined;
  };
  const set = (then: () => void, milliseconds: number): void => {
    ring = then;
    timer = setTimeout(then, milliseconds);
  };
  const without = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    clearTimeout(timer);
    try {
      return await ask();
    } finally {
      if (ring) set(ring, whole);
    }
  };
  return { start: (then) => set(then, left()), stop, without };
}

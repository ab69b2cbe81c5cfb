/** How long a host may take. The clock stands still while a person is asked, and starts afresh afterwards. */
export interface Patience {
  readonly start: (ring: () => void) => void;
  readonly stop: () => void;
  /** Waits for what a person answers, without the clock. */
  readonly without: <Answer>(ask: () => Promise<Answer>) => Promise<Answer>;
}

export function createPatience(milliseconds: number): Patience {
  let timer: NodeJS.Timeout | undefined;
  let ring: (() => void) | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    ring = undefined;
  };
  const start = (then: () => void): void => {
    ring = then;
    timer = setTimeout(then, milliseconds);
  };
  const without = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    clearTimeout(timer);
    try {
      return await ask();
    } finally {
      if (ring) start(ring);
    }
  };
  return { start, stop, without };
}

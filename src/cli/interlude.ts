/** Lets a question stand on the terminal in the middle of a run: the live view goes while it is asked, and comes back afterwards. */
export interface Interlude {
  readonly take: <Answer>(ask: () => Promise<Answer>) => Promise<Answer>;
  /** Says how the view is put away; what that returns brings it back. */
  readonly during: (hide: () => Promise<() => Promise<void>>) => void;
}

export function createInterlude(): Interlude {
  let hide = async (): Promise<() => Promise<void>> => async () => undefined;
  return {
    during: (how) => {
      hide = how;
    },
    take: async (ask) => {
      const show = await hide();
      try {
        return await ask();
      } finally {
        await show();
      }
    },
  };
}

/** Listening with an end to it: a host that is wedged answers the line's own questions for ever, and others wait for it meanwhile. */
import type { Channel } from './transport.ts';

export interface Silence {
  /** Something was heard that counts: the time begins anew. */
  heard(): void;
  /** It is no longer listened for. */
  end(): void;
  /** Seconds for which nothing was heard, when that was why the channel was closed here. */
  readonly tooLong: number | undefined;
}

/** The longest that a timer can be set for is 24 days. */
const longest = 2_000_000;

/** Closes the channel when nothing is heard for so many seconds, asked anew each time that something is. */
export function closeWhenSilent(channel: Pick<Channel, 'close'>, seconds: () => number): Silence {
  let tooLong: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    const patience = Math.min(seconds(), longest);
    timer = setTimeout(() => {
      tooLong = patience;
      channel.close();
    }, patience * 1000);
  };
  heard();
  return {
    heard,
    end: () => clearTimeout(timer),
    get tooLong() {
      return tooLong;
    },
  };
}

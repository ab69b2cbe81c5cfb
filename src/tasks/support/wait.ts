/** Waiting on a host: bounded twice, by a number of looks and by the host's own clock, which no change of the time of day moves. */
import { type Sh, sh } from '../../task.ts';

export interface Wait {
  /** Exits 0 when the wait is over. */
  readonly until: Sh;
  /** At most so many. */
  readonly looks: number;
  /** Seconds. */
  readonly timeout: number;
  /** Seconds between two looks. */
  readonly delay: number;
  /** Said when it took too long. */
  readonly complaint: Sh;
}

/** Looks at once, and again after each `delay`; exits 1 with the complaint when the time is over. */
export function waitUntil({ until, looks, timeout, delay, complaint }: Wait): Sh {
  return sh`over() { ${until}; }
looks=1 limit=${timeout}
read -r start _ </proc/uptime
until over; do
  read -r now _ </proc/uptime
  if [ "$looks" -ge ${looks} ] || [ $((\${now%.*} - \${start%.*})) -ge "$limit" ]; then
    ${complaint}
    exit 1
  fi
  looks=$((looks + 1))
  sleep ${delay}
done`;
}

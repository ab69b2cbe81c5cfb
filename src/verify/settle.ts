/** How long a cluster needs to take notice of what was changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event, Fleet } from '../model.ts';

/**
 * Milliseconds: keepalived tries a real server that came back once per delay_loop, and directors elect a master within three adverts and
 * a skew of at most one more. On static directors their own unit looks after the real servers, or nothing does. nginx leaves a server out
 * for fail_timeout.
 */
export function settling(fleet: Fleet): number {
  const seconds = [...checkTimes(fleet), ...(fleet.vrrp?.instances ?? []).map(({ advert }) => 4 * advert), ...proxyTimes(fleet)];
  return 1000 * (1 + Math.max(...seconds, 0));
}

function checkTimes({ services, vrrp, static: fixed }: Fleet): readonly number[] {
  if (vrrp) return services.map(({ check }) => check.delayLoop + check.timeout);
  const { checkInterval } = fixed ?? {};
  return checkInterval === undefined ? [] : services.map(({ check }) => checkInterval + check.timeout);
}

function proxyTimes({ proxy }: Fleet): readonly number[] {
  return (proxy?.upstreams ?? []).flatMap(({ servers }) =>
    servers.filter(({ maxFails }) => maxFails > 0).map(({ failTimeout }) => failTimeout),
  );
}

interface Waiting {
  readonly connections: ReadonlyMap<string, unknown>;
  readonly emit: (event: Event) => void;
  readonly stop?: AbortSignal | undefined;
}

/** Until the time `settled`, in milliseconds since the epoch, or until it is asked to stop. */
export async function untilSettled(settled: number, { connections, emit, stop }: Waiting): Promise<void> {
  const wait = settled - Date.now();
  if (wait <= 0) return;
  for (const host of connections.keys()) emit({ kind: 'host', host, doing: `wait ${Math.ceil(wait / 1000)} s for health checks` });
  await sleep(wait, undefined, { ...(stop && { signal: stop }) }).catch(() => undefined);
}

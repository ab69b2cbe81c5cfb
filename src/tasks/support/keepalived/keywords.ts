/** What keepalived knows since which version. */
import { refuse } from '../../../task.ts';
import { atLeast } from '../version.ts';
import type { KeepalivedWant } from './params.ts';

/** Left out before: they make things better, and nothing depends on them. */
const improvements = {
  // The plain form `reload_file` is accepted by 2.2.7 but never removed again; a path works.
  reload_file: '2.2.0',
  vrrp_garp_extra_if: '2.2.3',
} as const;

/** Refused before: something else would come of it. */
const needed = {
  regex: '2.0.7',
  'lvs_sched mh': '2.0.7',
  track_process: '2.0.11',
  'mh-port and mh-fallback': '2.0.20',
  PING_CHECK: '2.1.0',
  UDP_CHECK: '2.1.0',
  'lvs_sched twos': '2.2.5',
} as const;

/** Whether keepalived `version` knows the keyword. */
export function knows(version: string, keyword: keyof typeof improvements): boolean {
  return atLeast(version, improvements[keyword]);
}

/** Throws `refused`, naming the version that can, for what keepalived `version` cannot. */
export function refuseOlder(version: string, want: KeepalivedWant): void {
  if (!atLeast(version, '2.0.4')) throw refuse(`keepalived ${version} cannot test a configuration (-t)`, 'install 2.0.4 or later');
  for (const keyword of wordsOf(want)) {
    if (!atLeast(version, needed[keyword])) throw refuse(`keepalived ${version} has no ${keyword}`, `install ${needed[keyword]} or later`);
  }
  const idle = want.services.flatMap(({ realServers }) => realServers).find(({ weight }) => weight === 0);
  if (idle && !atLeast(version, '2.2.0')) {
    throw refuse(
      `keepalived ${version} does not keep weight 0 of ${idle.host}`,
      'take the backend out of the service, or install 2.2.0 or later',
    );
  }
}

function wordsOf({ vrrp: { instances }, services }: KeepalivedWant): readonly (keyof typeof needed)[] {
  const uses: Readonly<Record<keyof typeof needed, boolean>> = {
    regex: services.some(({ check }) => check.regex !== undefined),
    'lvs_sched mh': services.some(({ scheduler }) => scheduler === 'mh'),
    track_process: instances.some(({ trackProcesses }) => trackProcesses.length > 0),
    'mh-port and mh-fallback': services.some(({ schedulerFlags }) => schedulerFlags.some((flag) => flag.startsWith('mh-'))),
    PING_CHECK: services.some(({ check }) => check.kind === 'ping'),
    UDP_CHECK: services.some(({ check }) => check.kind === 'udp'),
    'lvs_sched twos': services.some(({ scheduler }) => scheduler === 'twos'),
  };
  return (Object.keys(uses) as (keyof typeof needed)[]).filter((keyword) => uses[keyword]);
}

import { existsSync } from 'node:fs';
import { saidKinds } from '../build/service.ts';
import { type Complaint, fault, formatPath, keyFault } from '../complaints.ts';
import type { Draft, Subject } from './draft.ts';

/** Rules about the health check of one service. */
export function checkFaults({ said, built, index }: Subject, { fleet }: Pick<Draft, 'fleet'>): readonly Complaint[] {
  const { check, protocol } = said;
  const at = ['services', index, 'check'];
  const [first, second] = saidKinds(check);
  if (first !== undefined && second !== undefined) {
    const more = first === 'tcp' && second === 'http' ? ': http looks at more' : '';
    return [keyFault('two-checks', at, `this check says both ${first} and ${second}`, `keep one of them${more}`)];
  }
  const { script } = built.check;
  if (script !== undefined && !existsSync(script)) {
    return [
      fault('no-file', [...at, 'misc', 'script'], `there is no file ${said.check.misc?.script}`, 'the path is relative to the inventory'),
    ];
  }
  if (first === 'misc' && !Number.isInteger(built.check.timeout)) {
    const place = [...at, 'misc', 'timeout'];
    return [
      fault('wrong-value', place, `${formatPath(place)} is ${built.check.timeout}`, 'allowed: whole seconds from 1 to 3600 for a script'),
    ];
  }
  // Packages have it; keepalived's own configure leaves it out unless told.
  if (built.check.regex !== undefined && fleet.keepalivedSource && !fleet.keepalivedSource.configure.includes('--enable-regex')) {
    const hint = 'say configure: [--enable-regex] in keepalived.source, or do without the regex';
    return [keyFault('no-regex', [...at, first ?? 'http', 'regex'], 'the keepalived that is built knows no regex', hint)];
  }
  if (protocol !== 'udp' || first !== 'tcp') return [];
  return [
    keyFault(
      'wrong-check',
      [...at, 'tcp'],
      'this service is UDP, but its check asks over TCP',
      'say udp, dns, ping or misc; or tcp with a port that answers',
    ),
  ].filter(() => check.tcp?.port === undefined);
}

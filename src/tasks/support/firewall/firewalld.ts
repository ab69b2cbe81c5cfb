/** firewalld's runtime and permanent rules, read and added to separately; it is never reloaded, which would drop rules of others. */
import { lines, type Sh, sh } from '../../../task.ts';
import { type Policies, parsePolicies, policiesProbe } from './firewalld-replies.ts';

/** Something that must be let in, in firewalld's own words. */
export interface Admission {
  /** Short, for ids: `80/tcp`, `vrrp from 10.18.43.20`. */
  readonly name: string;
  /** Words of firewall-cmd without `add`/`query`: `['port', '80/tcp']`, `['rich-rule', 'rule …']`. */
  readonly kind: 'port' | 'rich-rule';
  readonly rule: string;
  /** Protocol that the zone may admit from everybody already. */
  readonly protocol?: string;
  /** The only sender that it admits, an address or a prefix. */
  readonly from?: string;
}

export interface Zone {
  readonly name: string;
  readonly target: string;
  readonly interfaces: readonly string[];
  /** Networks, MAC addresses, `ipset:NAME`. */
  readonly sources: readonly string[];
  readonly services: readonly string[];
  readonly ports: readonly string[];
  readonly protocols: readonly string[];
  readonly rich: readonly string[];
}

interface Rules {
  readonly zones: readonly Zone[];
  /** Direct rules, as `firewall-cmd --direct --get-all-rules` prints them. */
  readonly direct: readonly string[];
}

export interface FirewalldSeen {
  readonly defaultZone: string;
  readonly live: Rules;
  readonly persisted: Rules;
  readonly policies: Policies;
}

/** Two firewall-cmd (each starts a Python), four where direct rules are wanted, seven with replies; none unless firewalld runs. */
export function firewalldProbe(direct: boolean, replies: boolean): Sh {
  const rules = (flags: readonly string[], word: string) =>
    lines(
      sh`firewall-cmd ${flags} --list-all-zones | sed ${`s/^/${word}|/`}`,
      direct && sh`firewall-cmd ${flags} --direct --get-all-rules | sed ${`s/^/${word}-direct|/`}`,
    );
  return sh`if [ -d /run/systemd/system ] && systemctl is-active -q firewalld.service; then
sed -n 's/^DefaultZone=/default|/p' /etc/firewalld/firewalld.conf
${rules([], 'live')}
${rules(['--permanent'], 'persisted')}
${replies ? policiesProbe : sh`:`}
fi`;
}

export function parseFirewalld(text: string): FirewalldSeen {
  const of = (word: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${word}|`))
      .map((line) => line.slice(word.length + 1));
  const rules = (word: string): Rules => ({ zones: parseZones(of(word)), direct: of(`${word}-direct`) });
  const policies = parsePolicies(of);
  return {
    defaultZone: /^[\w-]+/.exec(of('default')[0] ?? '')?.[0] ?? 'public',
    live: rules('live'),
    persisted: rules('persisted'),
    policies,
  };
}

/** A zone is its name in the first column, then fields two blanks in; rich rules follow their field, each behind a tab. */
function parseZones(text: readonly string[]): readonly Zone[] {
  const heads = text.flatMap((line, index) => (/^[\w-]+( |$)/.test(line) ? [index] : []));
  return heads.map((head, index) => {
    const body = text.slice(head + 1, heads[index + 1]);
    const words = (field: string) => {
      const line = body.find((each) => each.startsWith(`  ${field}:`));
      return line === undefined
        ? []
        : line
            .slice(field.length + 3)
            .split(' ')
            .filter(Boolean);
    };
    return {
      name: text[head]?.split(' ', 1)[0] ?? '',
      target: words('target')[0] ?? 'default',
      interfaces: words('interfaces'),
      sources: words('sources'),
      services: words('services'),
      ports: words('ports'),
      protocols: words('protocols'),
      rich: body.filter((line) => line.startsWith('\t')).map((line) => line.trim()),
    };
  });
}

/**
 * Zones that packets from these NICs go through, unless a zone has their sender; without NICs, every zone that has one of `all`. A NIC in no
 * zone is in the default one, one that is still to come also.
 */
export function zonesOf(seen: FirewalldSeen, nics: readonly string[], all: readonly string[]): readonly string[] {
  const { zones } = seen.live;
  const assigned = zones.filter(({ interfaces }) =>
    nics.length === 0 ? interfaces.length > 0 : interfaces.some((nic) => nics.includes(nic)),
  );
  const free = (nics.length === 0 ? all : nics).some((nic) => nic !== 'lo' && !zones.some(({ interfaces }) => interfaces.includes(nic)));
  return [...new Set([...assigned.map(({ name }) => name), ...(free || assigned.length === 0 ? [seen.defaultZone] : [])])];
}

/** What firewalld does not admit yet, as changes: all runtime ones first, so that until they have proven themselves a reboot undoes them. */
import { type Change, sh } from '../../../task.ts';
import type { Admission, FirewalldSeen, Zone } from './firewalld.ts';
import { policyChanges, type Reply } from './firewalld-replies.ts';
import { rulesOfSources } from './firewalld-sources.ts';

export interface Admissions {
  /** Those of the NICs; those that have senders are found by their sources. */
  readonly zones: readonly string[];
  readonly rules: readonly Admission[];
  /** Direct rules in firewall-cmd's words, `ipv4 raw PREROUTING 0 …`, each with a short name and what is done. */
  readonly direct: readonly { readonly name: string; readonly title: string; readonly why?: string; readonly words: readonly string[] }[];
  readonly replies: readonly Reply[];
}

export function firewalldChanges(seen: FirewalldSeen, wanted: Admissions): readonly Change[] {
  const { policies } = seen;
  const all = policies.wanted ? wanted : { ...wanted, direct: [...wanted.direct, ...wanted.replies] };
  const forwarded = policies.wanted ? policyChanges(policies, wanted.replies) : [];
  return [...missing('live', seen, all), ...missing('persisted', seen, all), ...forwarded];
}

function missing(when: 'live' | 'persisted', seen: FirewalldSeen, { zones, rules, direct }: Admissions): readonly Change[] {
  const bySender = seen[when].zones.filter(({ name }) => !zones.includes(name));
  const asked = [
    ...zones.map((name) => ({ name, rules })),
    ...bySender.map((zone) => ({ name: zone.name, rules: rulesOfSources(zone, rules) })),
  ];
  const admitted = asked.flatMap(({ name, rules: needed }) => {
    const zone = seen[when].zones.find((each) => each.name === name);
    return needed.filter((rule) => !zone || !admits(zone, rule)).map((rule) => admitChange(when, name, rule));
  });
  const untracked = direct.filter(({ words }) => !seen[when].direct.includes(words.join(' ')));
  return [...admitted, ...untracked.map((rule) => directChange(when, rule))];
}

/** Zones that accept everything need no rule; an open range or protocol covers its members. */
function admits(zone: Zone, { kind, rule, protocol }: Admission): boolean {
  if (zone.target === 'ACCEPT') return true;
  if (kind === 'rich-rule') return zone.rich.includes(rule) || (protocol !== undefined && zone.protocols.includes(protocol));
  const [port = '', transport] = rule.split('/');
  return zone.ports.some((open) => {
    const [, from = '', to = from, kept] = /^(\d+)(?:-(\d+))?\/(\w+)$/.exec(open) ?? [];
    return kept === transport && Number(from) <= Number(port) && Number(port) <= Number(to);
  });
}

const whenWords = { live: 'now', persisted: 'for every start' } as const;

function flags(when: 'live' | 'persisted'): readonly string[] {
  return when === 'live' ? [] : ['--permanent'];
}

function admitChange(when: 'live' | 'persisted', zone: string, { kind, rule, name }: Admission): Change {
  return {
    id: `${when}:${zone}:${name}`,
    title: `admit ${name} in zone ${zone}, ${whenWords[when]}`,
    was: '',
    will: `${rule}\n`,
    run: sh`firewall-cmd ${flags(when)} ${`--zone=${zone}`} ${`--add-${kind}=${rule}`}`,
    risk: 'lockout',
  };
}

function directChange(when: 'live' | 'persisted', { name, title, why, words }: Admissions['direct'][number]): Change {
  return {
    id: `${when}:direct:${name}`,
    title: `${title}, ${whenWords[when]}${why === undefined ? '' : `: ${why}`}`,
    was: '',
    will: `${words.join(' ')}\n`,
    run: sh`firewall-cmd ${flags(when)} --direct --add-rule ${words}`,
    risk: 'lockout',
  };
}

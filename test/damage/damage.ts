/** One kind of damage: what is done by hand, what the plan must then say, and how one sees without lvsctl that it is mended. */
export interface Damage {
  readonly kind: string;
  /** Which hosts it can be done on; `both-directors`: on the two at once. */
  readonly on: 'director' | 'backend' | 'any' | 'both-directors';
  /** Shell, run by root. `$peer` is the other host of the kind, `$priority` the director's own. */
  readonly harm: string;
  /** `TASK CHANGE-ID`, every change that mends it and no other; `{peer}` is the other director's address. */
  readonly plan: readonly string[];
  /** Exits 0 when nothing is wrong: fails after `harm`, and succeeds after a deploy. */
  readonly whole: string;
  /** What cannot be damaged in two ways at once: processes, files. The tasks of the plan unless said. */
  readonly parts?: readonly string[];
  /** A backend stops serving for a while, so the directors' tables change. */
  readonly outage?: boolean;
  /** Needs both backends in the directors' tables. */
  readonly pool?: boolean;
  /** Done on another host before; part of the same damage. */
  readonly first?: Pick<Damage, 'harm' | 'plan' | 'whole' | 'parts'> & { readonly host: string };
  /** lvsctl must not decide this: the plan refuses with a sentence that holds these words. `undo` is what it advises. */
  readonly refused?: { readonly words: string; readonly undo: string };
}

/** Damage on one host. */
export interface Case {
  readonly damage: Damage;
  readonly hosts: readonly string[];
}

const candidates: Readonly<Record<Damage['on'], readonly (readonly string[])[]>> = {
  director: [['dr1'], ['dr2']],
  backend: [['web1'], ['web2']],
  any: [['web1'], ['web2'], ['dr1'], ['dr2']],
  'both-directors': [['dr1', 'dr2']],
};

/**
 * Rounds of damage. On one host a round holds at most `most` kinds, none of which touch the same part, so that the plan must be
 * their changes together and nothing else. What is bound to few hosts is placed first. A round never holds an outage beside damage to the
 * directors' tables, and what is refused goes into rounds of its own, for a refusal stops a whole deploy.
 */
export function roundsOf(all: readonly Damage[], most: number): readonly (readonly Case[])[] {
  const rounds: Case[][] = [];
  for (const damage of [...all].sort((one, other) => narrowness(other) - narrowness(one))) {
    const fit = rounds.find((each) => placeIn(each, damage, most));
    const hosts = placeIn(fit ?? [], damage, most) ?? [];
    if (fit) fit.push({ damage, hosts });
    else rounds.push([{ damage, hosts }]);
  }
  return rounds;
}

function narrowness({ on, parts = [], first, pool }: Damage): number {
  return (on === 'any' ? 0 : 16) + (on === 'both-directors' || first ? 8 : 0) + (pool ? 4 : 0) + Math.min(3, parts.length);
}

function placeIn(round: readonly Case[], damage: Damage, most: number): readonly string[] | undefined {
  const others = round.map((each) => each.damage);
  if (others.some((other) => (other.refused === undefined) !== (damage.refused === undefined))) return undefined;
  if (others.some((other) => (other.pool && damage.outage) || (other.outage && damage.pool))) return undefined;
  const free = (host: string, wanted: readonly string[]): boolean => {
    const there = round.flatMap((each) => takenOn(each, host));
    return there.length < most && !there.some((taken) => taken.some((each) => wanted.includes(each)));
  };
  const fits = (hosts: readonly string[]) => hosts.every((host) => host !== damage.first?.host && free(host, partsOf(damage)));
  if (damage.first && !free(damage.first.host, partsOf(damage.first))) return undefined;
  const load = (hosts: readonly string[]) => round.filter((each) => each.hosts.includes(hosts[0] ?? '')).length;
  return candidates[damage.on].filter(fits).sort((one, other) => load(one) - load(other))[0];
}

/** What a case takes on this host: a list, where it touches the host. */
function takenOn({ damage, hosts }: Case, host: string): readonly (readonly string[])[] {
  if (damage.first?.host === host) return [partsOf(damage.first)];
  return hosts.includes(host) ? [partsOf(damage)] : [];
}

function partsOf({ plan, parts }: Pick<Damage, 'plan' | 'parts'>): readonly string[] {
  return parts ?? plan.map((each) => each.replace(/ .*/, ''));
}

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
  /** A backend stops serving for a while, so the directors' tables change. */
  readonly outage?: boolean;
  /** Needs both backends in the directors' tables. */
  readonly pool?: boolean;
  /** Done on another host before; part of the same damage. */
  readonly first?: Pick<Damage, 'harm' | 'plan' | 'whole'> & { readonly host: string };
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
 * Rounds of damage, at most one kind on each host: what is bound to few hosts is placed first. A round never holds an outage beside
 * damage to the directors' tables, and what is refused goes into rounds of its own, for a refusal stops a whole deploy.
 */
export function roundsOf(all: readonly Damage[]): readonly (readonly Case[])[] {
  const narrow = (damage: Damage): number => (damage.on === 'any' ? 1 : 0);
  const rounds: Case[][] = [];
  for (const damage of [...all].sort((one, other) => narrow(one) - narrow(other))) {
    const round = rounds.find((each) => placeIn(each, damage));
    const hosts = round && placeIn(round, damage);
    if (round && hosts) round.push({ damage, hosts });
    else rounds.push([{ damage, hosts: placeIn([], damage) ?? [] }]);
  }
  return rounds;
}

function placeIn(round: readonly Case[], damage: Damage): readonly string[] | undefined {
  const others = round.map((each) => each.damage);
  if (others.some((other) => (other.refused === undefined) !== (damage.refused === undefined))) return undefined;
  if (others.some((other) => (other.pool && damage.outage) || (other.outage && damage.pool))) return undefined;
  const taken = new Set(round.flatMap(({ hosts, damage: { first } }) => [...hosts, ...(first ? [first.host] : [])]));
  if (damage.first && taken.has(damage.first.host)) return undefined;
  return candidates[damage.on].find((hosts) => hosts.every((host) => !taken.has(host) && host !== damage.first?.host));
}

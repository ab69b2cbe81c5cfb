/** Whether answers are spread over the backends as a scheduler spreads them. */
import type { Entrance } from './entrances.ts';
import { listed } from './finding.ts';

type Scheduler = Entrance['scheduler'];

export interface Share {
  readonly host: string;
  readonly weight: number;
  /** Answers, or client addresses bound to it. */
  readonly got: number;
}

export interface Spread {
  /** `unknown`: nothing can be said from so few, or of this scheduler. */
  readonly verdict: 'right' | 'wrong' | 'unknown';
  readonly found: string;
  readonly expected: string;
}

/**
 * Which backend answers depends on more than weights: on the destination, which is always the same here; on load, of which a few requests
 * one after another make none (then sed and nq always take the same one); or on a network that all our addresses lie in.
 */
const unpredictable: readonly Scheduler[] = ['dh', 'lblc', 'lblcr', 'ovf', 'sed', 'nq', 'ip_hash'];

/** Go by turns, as weights say; of the others only a backend that gets nothing tells anything. */
const byTurns: readonly Scheduler[] = ['rr', 'wrr', 'round_robin'];

/** Go by the connections that there are, those of others included: a backend that has just come back gets all of ours, and is meant to. */
const byLoad: readonly Scheduler[] = ['lc', 'wlc', 'twos', 'least_conn'];

/** A sample with fewer for each backend says nothing of the spread: with 6 each, all to one of two has a chance of 1 in 2000. */
export const sampleEach = 6;

export function judgeSpread(shares: readonly Share[], scheduler: Scheduler): Spread {
  const total = shares.reduce((sum, { got }) => sum + got, 0);
  const weighed = shares.map((share) => ({ ...share, weight: weightFor(scheduler, share, shares) }));
  const weights = weighed.reduce((sum, { weight }) => sum + weight, 0);
  const expecting = weighed.map((share) => ({ ...share, wanted: weights > 0 ? (total * share.weight) / weights : 0 }));
  const found = `${listed(shares.map(({ host, got }) => `${got} from ${host}`))}`;
  const say = (verdict: Spread['verdict'], expected: string): Spread => ({ verdict, found, expected });
  const shown = `${listed(expecting.map(({ host, wanted }) => `${Number(wanted.toFixed(1))} from ${host}`))} (${scheduler})`;
  const idle = shares.some(({ weight, got }) => weight === 0 && got > 0);
  if (idle) return say('wrong', `none from ${listed(shares.filter(({ weight }) => weight === 0).map(({ host }) => host))} (weight 0)`);
  if (unpredictable.includes(scheduler)) return say('unknown', `what ${scheduler} decides`);
  if (scheduler === 'fo')
    return say(judgeFailover(weighed, total), `all from ${listed(weighed.filter(isFed).map(({ host }) => host))} (fo)`);
  const fed = expecting.filter(isFed);
  if (fed.length < 2) return say(total > 0 ? 'right' : 'unknown', shown);
  if (total < sampleEach * fed.length) return say('unknown', `at least ${sampleEach * fed.length} answers to judge by`);
  if (byTurns.includes(scheduler)) return say(matches(fed) ? 'right' : 'wrong', shown);
  const starved = fed.filter(({ wanted, got }) => got === 0 && wanted >= 5);
  const bad = byLoad.includes(scheduler) ? 'unknown' : 'wrong';
  return say(starved.length === 0 ? 'right' : bad, `some from ${listed(fed.map(({ host }) => host))} (${scheduler})`);
}

/** rr has no weights but 0; failover sends everything to the largest. */
function weightFor(scheduler: Scheduler, { weight }: Share, all: readonly Share[]): number {
  if (scheduler === 'rr') return Math.min(weight, 1);
  return scheduler === 'fo' && weight < Math.max(...all.map((share) => share.weight)) ? 0 : weight;
}

function isFed({ weight }: { readonly weight: number }): boolean {
  return weight > 0;
}

/** One of those with the largest weight answers all. */
function judgeFailover(weighed: readonly Share[], total: number): Spread['verdict'] {
  if (total === 0) return 'unknown';
  return weighed.some((share) => !isFed(share) && share.got > 0) ? 'wrong' : 'right';
}

/** Within one of what is due, or with other clients between ours, not against it with p < 0.001. */
function matches(shares: readonly { readonly got: number; readonly wanted: number }[]): boolean {
  if (shares.every(({ got, wanted }) => Math.abs(got - wanted) <= 1)) return true;
  const chiSquare = shares.reduce((sum, { got, wanted }) => sum + (got - wanted) ** 2 / wanted, 0);
  return chiSquare < criticalValue(shares.length - 1);
}

/** χ² that is exceeded with p = 0.001, after Wilson and Hilferty; at most 4 % too large, at one degree of freedom. */
export function criticalValue(degrees: number): number {
  const z = 3.0902;
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + z * Math.sqrt(spread)) ** 3;
}

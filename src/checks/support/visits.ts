/** What clients experienced at one virtual server, as findings. */
import type { VirtualServer } from '../../model.ts';
import type { Finding } from '../../task.ts';
import { count, fail, listed, notRun, pass } from './finding.ts';
import type { Answer } from './requests.ts';
import { judgeSpread, type Share, type Spread } from './spread.ts';
import { serviceName } from './topology.ts';

/** One client's requests to one virtual server. */
export interface Visit {
  readonly client: string;
  /** As many were made, or tried. */
  readonly requests: number;
  readonly answers: readonly Answer[];
  /** How many addresses it may borrow. */
  readonly sources: number;
}

/** Errors and latency. */
export function judgeErrors(service: VirtualServer, { client, requests, answers }: Visit, maxErrorRate: number): Finding {
  const expected =
    maxErrorRate === 0 ? 'every request answered with status 200' : `at most ${maxErrorRate * 100} % of requests without status 200`;
  const name = serviceName(service);
  if (requests === 0)
    return notRun(client, `${client} could send no request to ${name}`, expected, `see by hand: curl -v http://${name}/ on ${client}`);
  const good = answers.filter(({ status }) => status === 200);
  const found = `${good.length} of ${count(requests, 'request')} of ${client} to ${name} answered with status 200`;
  const failed = requests - good.length;
  if (failed <= requests * maxErrorRate) return pass(client, `${found}${latency(good)}`, expected);
  const statuses = [...new Set(answers.map(({ status }) => status))]
    .filter((status) => status !== 200 && status !== 0)
    .toSorted((one, other) => one - other);
  const other = statuses.map((status) => `${answers.filter((answer) => answer.status === status).length} with status ${status}`);
  const silent = requests - answers.filter(({ status }) => status !== 0).length;
  const kinds = [...(silent > 0 ? [`${silent} without an answer`] : []), ...other];
  const fix =
    good.length === 0 && silent === requests
      ? `see vip_placement, vip_arp and ipvs_table; then let TCP port ${service.port} in for ${service.vip} on directors and backends`
      : 'see real_server_page and ipvs_table for the backend that fails';
  return fail(client, `${found}: ${listed(kinds)}${latency(good)}`, expected, fix);
}

function latency(answers: readonly Answer[]): string {
  const times = answers.map(({ seconds }) => seconds * 1000).toSorted((one, other) => one - other);
  const [median, slowest] = [times[Math.floor((times.length - 1) / 2)], times.at(-1)];
  return median === undefined || slowest === undefined ? '' : `; median ${Math.round(median)} ms, slowest ${Math.round(slowest)} ms`;
}

export interface SharesContext {
  /** Connections from one address all go to one backend, so that only addresses can be counted. */
  readonly needsSources: boolean;
  /** Whether the answer's source was bound to a backend before we came; `undefined`: nobody knows. */
  readonly isBound: ((answer: Answer) => boolean) | undefined;
}

/** The spread over all clients together: two of them could take turns in step with the scheduler. */
export function judgeShares(service: VirtualServer, visits: readonly Visit[], context: SharesContext): Finding {
  const client = visits.length === 1 && visits[0] ? visits[0].client : 'clients';
  const good = visits.flatMap(({ answers }) => answers.filter(({ status, fresh }) => status === 200 && fresh));
  const uncounted = cannotCount(client, service, good);
  if (uncounted) return uncounted;
  if (!context.needsSources) return verdict(client, service, judgeSpread(sharesOf(service, good), service.scheduler), '');
  if (visits.some(({ sources }) => sources > 0)) {
    const firsts = visits.flatMap((visit) => (visit.sources > 0 ? firstPerSource(visit, good) : []));
    return judgeBorrowed(service, client, firsts, context);
  }
  const found = `${service.persistence === undefined ? service.scheduler : 'persistence'} sends one address to one backend`;
  const fix = `free addresses of the segment for ${client} to send from: sources: [ … ] of that client in the inventory`;
  return notRun(client, found, spreadExpected(service), fix);
}

function spreadExpected(service: VirtualServer): string {
  return `${serviceName(service)} spreads over ${listed(service.realServers.map(({ host }) => host))} as ${service.scheduler} and weights say`;
}

/** Nothing to count, or pages that do not tell whose they are. */
function cannotCount(client: string, service: VirtualServer, good: readonly Answer[]): Finding | undefined {
  const expected = spreadExpected(service);
  const strange = good.filter(({ markers }) => markers.length !== 1).length;
  const fix = "each backend's page must hold its name in the inventory, and no other backend's";
  if (good.length === 0) return notRun(client, 'no answer to count', expected, '');
  if (strange === good.length) return notRun(client, 'no page names its backend', expected, fix);
  const found = `${count(strange, 'answer')} of ${good.length} named no single backend of ${serviceName(service)}`;
  return strange > 0 ? fail(client, found, expected, fix) : undefined;
}

/** Addresses bound before we came tell of an earlier spread: good when right, and no evidence when not. */
function judgeBorrowed(service: VirtualServer, client: string, firsts: readonly Answer[], { isBound }: SharesContext): Finding {
  const all = judgeSpread(sharesOf(service, firsts), service.scheduler);
  if (all.verdict !== 'wrong') return verdict(client, service, all, 'client addresses: ');
  const fresh = firsts.filter((answer) => isBound && !isBound(answer));
  const judged = isBound ? judgeSpread(sharesOf(service, fresh), service.scheduler) : { ...all, verdict: 'unknown' as const };
  if (judged.verdict !== 'unknown') return verdict(client, service, judged, 'client addresses: ');
  const found = `client addresses: ${all.found}, but ${isBound ? `${firsts.length - fresh.length} of ${firsts.length}` : 'some'} may be bound from before`;
  return notRun(client, found, all.expected, `verify again in ${(service.persistence ?? 0) + finWait} s, or give ${client} more sources`);
}

/** In direct routing the director never sees the server's FIN, and keeps a binding as long as closed connections of it, 120 s. */
const finWait = 120;

function verdict(client: string, service: VirtualServer, spread: Spread, prefix: string): Finding {
  const found = `${prefix}${spread.found}`;
  const expected = `${prefix}${spread.expected}`;
  if (spread.verdict === 'right') return pass(client, found, expected);
  if (spread.verdict === 'unknown') return notRun(client, found, expected, '');
  return fail(
    client,
    found,
    expected,
    `see ipvs_table for weights and missing real servers of ${serviceName(service)}; where one backend answers all, see vip_arp`,
  );
}

function sharesOf({ realServers }: VirtualServer, answers: readonly Answer[]): readonly Share[] {
  return realServers.map(({ host, weight }, position) => ({
    host,
    weight,
    got: answers.filter(({ markers }) => markers[0] === position).length,
  }));
}

function firstPerSource({ answers }: Visit, good: readonly Answer[]): readonly Answer[] {
  const first = new Map<string, Answer>();
  for (const answer of answers)
    if (answer.source !== '' && good.includes(answer) && !first.has(answer.source)) first.set(answer.source, answer);
  return [...first.values()];
}

/** Persistent services: each address stays with its backend. */
export function judgeFaithful(service: VirtualServer, visits: readonly Visit[]): readonly Finding[] {
  if (service.persistence === undefined) return [];
  const expected = `each client address stays with one backend of ${serviceName(service)} for ${service.persistence} s`;
  return visits.flatMap(({ client, answers }) => {
    const good = answers.filter(({ status, markers }) => status === 200 && markers.length === 1);
    const sources = [...new Set(good.map(({ source }) => source))]
      .map((source) => good.filter((answer) => answer.source === source))
      .filter(({ length }) => length > 1);
    if (sources.length === 0) return [];
    const moved = sources.filter((group) => group.some(({ markers }) => markers[0] !== group[0]?.markers[0]));
    if (moved.length === 0) return [pass(client, `${count(sources.length, 'source')} of ${client} stayed with one backend each`, expected)];
    const fix = `persistence_timeout ${service.persistence} in virtual_server ${service.vip} ${service.port} on every director: see ipvs_table`;
    return [fail(client, `${moved.length} of ${sources.length} sources of ${client} were answered by several backends`, expected, fix)];
  });
}

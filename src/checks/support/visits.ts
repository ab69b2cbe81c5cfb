/** What clients experienced at one virtual server, as findings. */
import type { Finding } from '../../task.ts';
import { type Entrance, entranceName } from './entrances.ts';
import { count, fail, listed, notRun, pass } from './finding.ts';
import type { Answer } from './requests.ts';
import { judgeSpread, type Share, type Spread } from './spread.ts';
import { pageAddress, pageUrl, statusIsRight, statusWords } from './web-pages.ts';

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
export function judgeErrors(entrance: Entrance, { client, requests, answers }: Visit, maxErrorRate: number): Finding {
  const { right, noun } = wordsFor(entrance);
  const expected = maxErrorRate === 0 ? `every ${noun} ${right}` : `at most ${maxErrorRate * 100} % of ${noun}s not ${right}`;
  const name = entranceName(entrance);
  if (requests === 0) return notRun(client, `${client} could send no ${noun} to ${name}`, expected, byHand(entrance, client));
  const good = answers.filter((answer) => isGood(entrance, answer));
  const found = `${good.length} of ${count(requests, noun)} of ${client} to ${name} ${right}`;
  const failed = requests - good.length;
  const times = entrance.page ? latency(good) : '';
  if (failed <= requests * maxErrorRate) return pass(client, `${found}${times}`, expected);
  const statuses = [...new Set(answers.map(({ status }) => status))]
    .filter((status) => !isGood(entrance, { status }) && status !== 0)
    .toSorted((one, other) => one - other);
  const other = statuses.map((status) => `${answers.filter((answer) => answer.status === status).length} with status ${status}`);
  const silent = requests - answers.filter(({ status }) => status !== 0).length;
  const kinds = [...(silent > 0 ? [`${silent} without an answer`] : []), ...other];
  const fix = good.length === 0 && silent === requests ? silenceFix(entrance) : failureFix(entrance);
  return fail(client, `${found}: ${listed(kinds)}${times}`, expected, fix);
}

/** Without a page to ask for, a datagram that was answered or a connection that was taken is told as status 200. */
function isGood({ page }: Entrance, { status }: Pick<Answer, 'status'>): boolean {
  return page ? statusIsRight(page, status) : status === 200;
}

function wordsFor({ protocol, page }: Entrance): { readonly noun: string; readonly right: string } {
  if (page) return { noun: 'request', right: `answered with ${statusWords(page)}` };
  return protocol === 'udp' ? { noun: 'request', right: 'answered' } : { noun: 'connection', right: 'opened' };
}

function byHand({ vip, port, protocol, page }: Entrance, client: string): string {
  if (protocol === 'udp') return `see by hand, with bash: exec 3<>/dev/udp/${vip}/${port}; echo >&3; dd count=1 <&3 on ${client}`;
  if (!page) return `see by hand, with bash: timeout 2 bash -c ': <>/dev/tcp/${vip}/${port}'; echo $? on ${client}`;
  const header = page.hostHeader === undefined ? '' : ` -H "Host: ${page.hostHeader}"`;
  const resolve = pageAddress(page, vip, port);
  const name = resolve === undefined ? '' : ` --resolve ${resolve}`;
  return `see by hand: curl -v${page.tls ? 'k' : ''}${header}${name} ${pageUrl(page, vip, port)} on ${client}`;
}

function silenceFix({ service, vip, port, protocol }: Entrance): string {
  const open = `then let ${protocol.toUpperCase()} port ${port} in for ${vip} on directors${service ? ' and backends' : ''}`;
  if (!service) return `see vip_placement, vip_arp and proxy_service; ${open}`;
  const path = service.forward === 'nat' ? ', nat_path' : service.forward === 'tun' ? ', tunnel' : '';
  const mark = service.fwmark ? `; see that packets get mark ${service.fwmark.mark}: iptables -t mangle -S, or nft list ruleset` : '';
  return `see vip_placement, vip_arp${path} and ipvs_table; ${open}${mark}`;
}

function failureFix({ service }: Entrance): string {
  return service
    ? 'see real_server_page and ipvs_table for the backend that fails'
    : "see real_server_page for the backend that fails, and the directors' nginx error log";
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
export function judgeShares(entrance: Entrance, visits: readonly Visit[], context: SharesContext): Finding {
  const client = visits.length === 1 && visits[0] ? visits[0].client : 'clients';
  const good = visits.flatMap(({ answers }) => answers.filter((answer) => isGood(entrance, answer) && answer.fresh));
  const uncounted = cannotCount(client, entrance, good);
  if (uncounted) return uncounted;
  if (!context.needsSources) return verdict(client, entrance, judgeSpread(sharesOf(entrance, good), entrance.scheduler), '');
  if (visits.some(({ sources }) => sources > 0)) {
    const firsts = visits.flatMap((visit) => (visit.sources > 0 ? firstPerSource(visit, good) : []));
    return judgeBorrowed(entrance, client, firsts, context);
  }
  const who = entrance.wholeNetworks ? 'a whole network' : 'one address';
  const found = `${entrance.persistence === undefined ? entrance.scheduler : 'persistence'} sends ${who} to one backend`;
  return notRun(client, found, spreadExpected(entrance), sourcesFix(entrance, client));
}

function sourcesFix({ protocol, wholeNetworks }: Entrance, client: string): string {
  if (wholeNetworks) return 'clients in several networks, under "clients:" in the inventory';
  if (protocol === 'udp') return 'several clients, under "clients:" in the inventory';
  return `free addresses of the segment for ${client} to send from: sources: [ … ] of that client in the inventory`;
}

function spreadExpected(entrance: Entrance): string {
  return `${entranceName(entrance)} spreads over ${listed(entrance.servers.map(({ host }) => host))} as ${entrance.scheduler} and weights say`;
}

/** Nothing to count, or pages that do not tell whose they are. */
function cannotCount(client: string, entrance: Entrance, good: readonly Answer[]): Finding | undefined {
  const expected = spreadExpected(entrance);
  const strange = good.filter(({ markers }) => markers.length !== 1).length;
  if (good.length === 0) return notRun(client, 'no answer to count', expected, '');
  if (entrance.protocol === 'tcp' && !entrance.page)
    return notRun(
      client,
      `connections to ${entranceName(entrance)} were opened alone: which backend took them is not to be seen`,
      expected,
      ownPage,
    );
  const fix = isOwn(entrance) ? "each backend's page must hold its name in the inventory, and no other backend's" : ownPage;
  if (strange === good.length) return notRun(client, 'no page names its backend', expected, fix);
  const found = `${count(strange, 'answer')} of ${good.length} named no single backend of ${entranceName(entrance)}`;
  if (strange === 0) return undefined;
  return isOwn(entrance) ? fail(client, found, expected, fix) : notRun(client, found, expected, fix);
}

const ownPage =
  'where each backend has a page that holds its name: give this check its path; connections by backend: ipvsadm -Ln --stats on directors';

/** Names on pages that lvsctl did not write may mean something else, or stand there by chance: they prove no mistake. */
function isOwn({ protocol, page }: Entrance): boolean {
  return protocol === 'udp' || page?.named === true;
}

/** Addresses bound before we came tell of an earlier spread: good when right, and no evidence when not. */
function judgeBorrowed(entrance: Entrance, client: string, firsts: readonly Answer[], { isBound }: SharesContext): Finding {
  const all = judgeSpread(sharesOf(entrance, firsts), entrance.scheduler);
  if (all.verdict !== 'wrong') return verdict(client, entrance, all, 'client addresses: ');
  const fresh = firsts.filter((answer) => isBound && !isBound(answer));
  const judged = isBound ? judgeSpread(sharesOf(entrance, fresh), entrance.scheduler) : { ...all, verdict: 'unknown' as const };
  if (judged.verdict !== 'unknown') return verdict(client, entrance, judged, 'client addresses: ');
  const found = `client addresses: ${all.found}, but ${isBound ? `${firsts.length - fresh.length} of ${firsts.length}` : 'some'} may be bound from before`;
  return notRun(client, found, all.expected, `verify again in ${(entrance.persistence ?? 0) + finWait} s, or give ${client} more sources`);
}

/** In direct routing the director never sees the server's FIN, and keeps a binding as long as closed connections of it, 120 s. */
const finWait = 120;

function verdict(client: string, entrance: Entrance, spread: Spread, prefix: string): Finding {
  const found = `${prefix}${spread.found}`;
  const expected = `${prefix}${spread.expected}`;
  if (spread.verdict === 'right') return pass(client, found, expected);
  if (spread.verdict === 'unknown') return notRun(client, found, expected, '');
  if (!isOwn(entrance)) return notRun(client, `${found}, by names on pages that lvsctl did not write`, expected, ownPage);
  return fail(
    client,
    found,
    expected,
    entrance.service
      ? `see ipvs_table for weights and missing real servers of ${entranceName(entrance)}; where one backend answers all, see vip_arp`
      : `see the upstream of ${entranceName(entrance)} in nginx on the directors, and real_server_page for backends that are left out`,
  );
}

function sharesOf({ servers }: Entrance, answers: readonly Answer[]): readonly Share[] {
  return servers.map(({ host, weight }, position) => ({
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
export function judgeFaithful(entrance: Entrance, visits: readonly Visit[]): readonly Finding[] {
  if (entrance.persistence === undefined) return [];
  const expected = `each client address stays with one backend of ${entranceName(entrance)} for ${entrance.persistence} s`;
  return visits.flatMap(({ client, answers }) => {
    const good = answers.filter((answer) => isGood(entrance, answer) && answer.markers.length === 1);
    const sources = [...new Set(good.map(({ source }) => source))]
      .map((source) => good.filter((answer) => answer.source === source))
      .filter(({ length }) => length > 1);
    if (sources.length === 0) return [];
    const moved = sources.filter((group) => group.some(({ markers }) => markers[0] !== group[0]?.markers[0]));
    if (moved.length === 0) return [pass(client, `${count(sources.length, 'source')} of ${client} stayed with one backend each`, expected)];
    const found = `${moved.length} of ${sources.length} sources of ${client} were answered by several backends`;
    if (!isOwn(entrance)) return [notRun(client, `${found}, by names on pages that lvsctl did not write`, expected, ownPage)];
    const fix = `persistence of ${entrance.persistence} s for ${entranceName(entrance)} on every director: see ipvs_table`;
    return [fail(client, found, expected, fix)];
  });
}

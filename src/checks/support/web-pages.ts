/**
 * What web servers of backends are asked, as far as the inventory says what a right answer is: the page of the health check, or the page
 * with the host's name that lvsctl puts where it sees to the web server. Of everything else it knows that connections are taken, and no more.
 */
import type { Fleet, HealthCheck } from '../../model.ts';
import { answeringPort, endpoint, type Front, namedSite, type Served, speaksTls } from './topology.ts';

export interface WebPage {
  readonly path: string;
  readonly hostHeader?: string | undefined;
  /** Name that TLS asks for in the handshake. */
  readonly sni?: string | undefined;
  readonly tls: boolean;
  /** Absent: any that a web server gives which is well, below 500. */
  readonly status?: number | undefined;
  /** lvsctl wrote it: it holds the name of its host, and no other's. */
  readonly named: boolean;
  /** Text that lvsctl put on it, the same on every host. */
  readonly text?: string | undefined;
}

/** `undefined`: not known to speak HTTP there. */
export function webPage(served: Served, front: Front, fleet: Fleet): WebPage | undefined {
  const port = answeringPort(served, front);
  const { check } = served.service;
  if (front.protocol === 'udp') return undefined;
  const ours = servesOwn(fleet, port);
  if (isWeb(check) && (check.port ?? served.real.port) === port) return checkedPage(check, ours, fleet);
  return ours ? { path: '/', tls: speaksTls(fleet, port, front), status: 200, named: true } : undefined;
}

/** Whether the web server that lvsctl sees to listens there: the page at `/` is then its own. */
export function servesOwn({ nginx, apache }: Pick<Fleet, 'nginx' | 'apache'>, port: number): boolean {
  return (nginx ?? apache)?.listeners.some((listener) => listener.port === port && listener.protocol === 'tcp') ?? false;
}

export function statusIsRight({ status }: Pick<WebPage, 'status'>, seen: number): boolean {
  return status === undefined ? seen > 0 && seen < 500 : seen === status;
}

/** `status 204`, `a status below 500`. */
export function statusWords({ status }: Pick<WebPage, 'status'>): string {
  return status === undefined ? 'a status below 500' : `status ${status}`;
}

/** Where TLS asks for a name, it has to stand in the address. */
export function pageUrl({ tls, path, sni }: Pick<WebPage, 'tls' | 'path' | 'sni'>, address: string, port: number): string {
  return `${tls ? 'https' : 'http'}://${sni === undefined ? endpoint(address, port) : `${sni}:${port}`}${path}`;
}

/** What curl is told with `--resolve`, so that the name of `pageUrl` is looked up nowhere. */
export function pageAddress({ sni }: Pick<WebPage, 'sni'>, address: string, port: number): string | undefined {
  return sni === undefined ? undefined : `${sni}:${port}:${address}`;
}

function isWeb({ kind }: HealthCheck): boolean {
  return kind === 'http' || kind === 'https';
}

function checkedPage({ kind, path = '/', status = 200, hostHeader, sni }: HealthCheck, ours: boolean, fleet: Fleet): WebPage {
  const site = ours ? namedSite(fleet, hostHeader, path) : undefined;
  return {
    ...{ path, hostHeader, status, tls: kind === 'https' },
    sni: sni === true ? hostHeader?.split(':')[0] : undefined,
    named: ours && path === '/' && !site,
    text: site && firstLine(site.body),
  };
}

export function firstLine(body: string): string | undefined {
  return body.trim().split('\n')[0];
}

/** The program that looks after the real servers of a director without keepalived: its values, each one word, and what does the work. */
import { readFileSync } from 'node:fs';
import { quote } from '../../../task.ts';
import { programText } from '../systemd/own-program.ts';
import { nameOf, placeOf, rowOptions, serverOf, type VirtualServer } from './rules.ts';
import { checks } from './view.ts';

const program = readFileSync(new URL('./check.bash', import.meta.url), 'utf8');

/** Where the script of a misc check lies on the director. */
export function miscPath(script: string): string {
  return `/usr/local/lib/lvsctl/checks/${script.replace(/^.*\//, '')}`;
}

/** The whole text, and what a running one says that it is made of. `interval` in seconds. */
export function checkText(services: readonly VirtualServer[], interval: number): { readonly text: string; readonly digest: string } {
  return programText(checks, `interval=${interval}\nvalues() {\n${services.map(serviceLines).join('')}}\n`, program);
}

function serviceLines(service: VirtualServer): string {
  const { quorum, hysteresis = 0, check, sorryServer } = service;
  const place = placeOf(service);
  const sorry = sorryServer
    ? [serverOf(service, { rip: sorryServer.address, port: sorryServer.port }), rowOptions(service, { weight: 1 }).join(' ')]
    : ['', ''];
  const head = ['service', place.join(' '), nameOf(place), quorum, hysteresis, check.retry, check.delayBeforeRetry, ...sorry];
  const rows = service.realServers.map((real) =>
    words(['server', serverOf(service, real), rowOptions(service, real).join(' '), real.weight, ...checkWords(service, real)]),
  );
  return [words(head), ...rows].map((line) => `  ${line}\n`).join('');
}

function words(list: readonly (string | number)[]): string {
  return list.map((word) => quote(String(word))).join(' ');
}

type Address = Pick<VirtualServer['realServers'][number], 'rip' | 'port'>;

/** A function of the program, or a command, and its arguments. */
function checkWords({ check }: VirtualServer, { rip, port: own }: Address): readonly (string | number)[] {
  const port = check.port ?? own;
  if (check.kind === 'tcp') return ['tcp', check.timeout, rip, port];
  if (check.kind === 'misc') {
    const given = (check.arguments ?? []).map((word) => word.replaceAll('{rip}', rip).replaceAll('{port}', String(port)));
    return ['timeout', check.timeout, miscPath(check.script ?? ''), ...given];
  }
  const { kind, path = '/', status = 200, regex = '', hostHeader, sni } = check;
  const address = rip.includes(':') ? `[${rip}]` : rip;
  // The name in the handshake is the URL's: that one is said, and the connection goes to the real server all the same.
  const named = kind === 'https' && sni && hostHeader !== undefined;
  const name = named ? hostHeader.replace(/:\d+$/, '') : address;
  const route = named ? ['--connect-to', `::${address}:${port}`] : [];
  const header = hostHeader === undefined ? [] : ['-H', `Host: ${hostHeader}`];
  return ['web', check.timeout, status, regex, ...route, ...header, `${kind}://${name}:${port}${path}`];
}

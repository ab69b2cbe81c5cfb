/** Health checks as keepalived writes them. */

import type { ServiceParams } from '../ipvs/virtual-server-params.ts';
import { block, type Part, quoted } from './blocks.ts';
import { scriptPath } from './scripts.ts';

type Check = ServiceParams['check'];
type RealServer = ServiceParams['realServers'][number];

export function checker(check: Check, server: RealServer): Part {
  const tries = [`retry ${check.retry}`, `delay_before_retry ${check.delayBeforeRetry}`];
  // With a firewall mark the real server has no port of its own, so it is always said.
  const port = check.port ?? server.port;
  const connection = [`connect_port ${port}`, `connect_timeout ${check.timeout}`, ...tries];
  switch (check.kind) {
    case 'tcp':
      return block('TCP_CHECK', connection);
    case 'http':
      return block('HTTP_GET', [page(check), ...connection]);
    case 'https':
      return block('SSL_GET', [check.sni === true && check.hostHeader !== undefined && 'enable_sni', page(check), ...connection]);
    case 'misc':
      return block('MISC_CHECK', [
        `misc_path ${commandLine(check, server.rip, port)}`,
        `misc_timeout ${check.timeout}`,
        'user root',
        ...tries,
      ]);
    case 'dns':
      return block('DNS_CHECK', [`type ${check.type ?? 'SOA'}`, `name ${check.name ?? '.'}`, ...connection]);
    case 'udp':
      return block('UDP_CHECK', [
        check.payload !== undefined && `payload ${check.payload}`,
        check.requireReply === true && 'require_reply',
        ...connection,
      ]);
    case 'ping':
      return block('PING_CHECK', [`connect_timeout ${check.timeout}`, ...tries]);
  }
}

function page({ path = '/', status = 200, hostHeader, regex }: Check): Part {
  return block('url', [
    `path ${path}`,
    `status_code ${status}`,
    hostHeader !== undefined && `virtualhost ${hostHeader}`,
    regex !== undefined && `regex ${quoted(regex)}`,
  ]);
}

/** The words of the script between one pair of quotes: keepalived takes the first word alone otherwise. */
function commandLine({ script = '', arguments: words = [] }: Check, rip: string, port: number): string {
  const filled = words.map((word) => word.replaceAll('{rip}', rip).replaceAll('{port}', String(port)));
  return quoted([scriptPath(script), ...filled].join(' '));
}

import { type Complaint, fault, formatValue, keyFault } from '../complaints.ts';
import { didYouMean } from '../nearest.ts';
import type { Draft } from './draft.ts';

/** The first version that builds with today's C libraries and OpenSSL. */
const oldestVersion = '1.20.2';

/** Rules about the web server. */
export function nginxFaults({ shape: { nginx }, fleet }: Draft): readonly Complaint[] {
  if (!nginx) return [];
  return [...sourceFaults(nginx.source), ...buildFaults(nginx.build.on, fleet.groups.backends ?? []), ...portFaults(nginx.port, fleet)];
}

function sourceFaults(source: NonNullable<Draft['shape']['nginx']>['source']): readonly Complaint[] {
  if (!source) return [];
  const at = ['nginx', 'source'];
  const faults: Complaint[] = [];
  if (older(source.version, oldestVersion)) {
    const hint = `allowed: ${oldestVersion} or newer; 1.14 fails with "crypt_data has no member current_salt", 1.16 and 1.18 break on OpenSSL 3`;
    faults.push(fault('nginx-version', [...at, 'version'], `nginx ${source.version} is too old for today's systems`, hint));
  }
  if (source.url !== undefined && source.file !== undefined) {
    faults.push(keyFault('two-sources', [...at, 'file'], 'the source has both url and file', 'keep one of them'));
  }
  for (const [index, flag] of source.configure.entries()) {
    if (!/^--prefix(?:=|$)/.test(flag)) continue;
    faults.push(
      fault('prefix-flag', [...at, 'configure', index], `${formatValue(flag)} is among the flags`, 'say it as nginx.source.prefix'),
    );
  }
  return faults;
}

function older(version: string, limit: string): boolean {
  const rank = (text: string) => text.split('.').reduce((total, part) => total * 1000 + Number(part), 0);
  return rank(version) < rank(limit);
}

function buildFaults(on: string, backends: readonly string[]): readonly Complaint[] {
  const known = ['first', 'each', ...backends];
  if (known.includes(on)) return [];
  const hint = `${didYouMean(on, known)}allowed: ${known.join(', ')}`;
  return [fault('unknown-host', ['nginx', 'build', 'on'], `nginx cannot be built on ${formatValue(on)}`, hint)];
}

function portFaults(port: number | undefined, { services, proxy }: Draft['fleet']): readonly Complaint[] {
  if (proxy || services.some(({ forward, fwmark, redirect }) => forward === 'nat' || fwmark || redirect !== undefined)) return [];
  if (port === undefined || services.some((service) => service.port === port)) return [];
  const ports = [...new Set(services.map((service) => service.port))].join(', ');
  const hint = `direct routing passes packets on as they are: nginx listens on the port of a service (${ports})`;
  return [fault('dr-port', ['nginx', 'port'], `no service has the port ${port} of nginx`, hint)];
}

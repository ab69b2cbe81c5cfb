/** One word in a playbook: the configuration of keepalived, and that the running one has read it. */
import { type Change, defineTask, type Facts, lines, refuse, sh } from '../task.ts';
import { loadTemplate, renderTemplate } from '../templates/render.ts';
import { exampleService, type KeepalivedWant, keepalivedParams } from './support/keepalived-params.ts';
import {
  configPath,
  keepalivedHandlers,
  keepalivedState,
  reloadFile,
  reloadKeepalived,
  validConfig,
} from './support/keepalived-process.ts';
import { atLeast } from './support/version.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/write-file.ts';

interface SeenKeepalived {
  readonly file: SeenFile;
  /** `2.2.7`; absent when not installed. */
  readonly version: string | undefined;
  /** Whether the running process has read the file that is there. */
  readonly process: 'none' | 'loaded' | 'pending';
}

/** What the distributions ship, for hosts that have no keepalived yet: the same keywords must come out before and after it is installed. */
const shipped: Readonly<Record<string, string>> = {
  'debian 11': '2.1.5',
  'debian 12': '2.2.7',
  'debian 13': '2.3.3',
  'ubuntu 20.04': '2.0.19',
  'ubuntu 22.04': '2.2.4',
  'ubuntu 24.04': '2.2.8',
  'el 8': '2.1.5',
  'el 9': '2.2.8',
};

export default defineTask<KeepalivedWant, SeenKeepalived>({
  summary: 'Writes keepalived.conf for this director (VRRP and virtual servers) and has the running keepalived read it, without a restart.',
  params: keepalivedParams,
  // It loads ip_vs by itself when it starts.
  touches: () => ['module:ip_vs', `file:${configPath}`, 'service:keepalived.service'],
  needs: () => ['package:keepalived'],
  probe: () =>
    lines(
      filesProbe([configPath]),
      sh`said=$(keepalived -v 2>&1) && printf 'version %s\n' "\${said%%,*}"`,
      keepalivedState,
      sh`printf 'process %s\n' "$state"`,
    ),
  parse: (output) => {
    const { files, rest } = parseFiles(output, [configPath]);
    const process = /^process (loaded|pending)$/m.exec(rest)?.[1];
    return {
      file: files[0] as SeenFile,
      version: /^version Keepalived v(\d+\.\d+\.\d+)/m.exec(rest)?.[1],
      process: process === 'loaded' || process === 'pending' ? process : 'none',
    };
  },
  plan: (seen, want, { facts, same }) => {
    const version = seen.version ?? shippedVersion(facts);
    refuseVersion(version, want);
    const content = keepalivedConf(want, version);
    const split = seen.process !== 'none' && seen.file.content !== undefined && !same(sharedPart(seen.file.content), sharedPart(content));
    const changes = fileChange({
      seen: seen.file,
      path: configPath,
      content,
      mode: '0640',
      validate: validConfig,
      notify: ['keepalived.reload'],
      ...(split && { risk: 'split' as const }),
      context: { same },
    });
    return changes.length === 0 && seen.process === 'pending' ? [reloadChange] : changes;
  },
  settled: ({ services }, seen) =>
    `${configPath} holds ${services.length === 1 ? 'the service' : `the ${services.length} services`} as wanted${
      seen.process === 'loaded' ? ', and keepalived has loaded it' : ''
    }`,
  handlers: () => keepalivedHandlers,
  example: {
    router_id: 'dr1',
    priority: 100,
    vrrp: { instance: 'lvs', id: 51, interface: 'eth0', vipInterface: 'eth1', mode: 'backup-nopreempt', advert: 1, authPass: '1111' },
    services: [exampleService],
  },
});

const reloadChange: Change = {
  id: 'live:reload',
  title: 'reload keepalived: it runs with an older configuration',
  was: 'running with an older configuration\n',
  will: `running with ${configPath}\n`,
  unless: lines(keepalivedState, sh`[ "$state" != pending ]`),
  validate: validConfig(sh`${configPath}`),
  run: reloadKeepalived,
};

/** The whole file, for keepalived `version`. Deterministic; may hold a secret slot as the password. */
export function keepalivedConf({ router_id, priority, vrrp, services, sync }: KeepalivedWant, version: string): string {
  const [anchor, ...excluded] = [...new Set(services.map(({ vip }) => vip))];
  const globals = [
    // The plain form `reload_file` is accepted by 2.2.7 but never removed again; a path works.
    atLeast(version, '2.2.0') && `reload_file ${reloadFile}`,
    'vrrp_garp_master_refresh 60',
    // Otherwise the MAC of a second interface ages out of the switches.
    atLeast(version, '2.2.3') && vrrp.vipInterface !== vrrp.interface && 'vrrp_garp_extra_if all 100',
    // Without it clients were lost for seconds after a partition healed.
    'vrrp_higher_prio_send_advert true',
    sync && `lvs_sync_daemon ${vrrp.interface} ${vrrp.instance} id ${vrrp.id}`,
  ].filter((line) => typeof line === 'string');
  const authPass = vrrp.authPass === undefined || /^[A-Za-z0-9]+$/.test(vrrp.authPass) ? vrrp.authPass : `"${vrrp.authPass}"`;
  const trackInterface = vrrp.vipInterface !== vrrp.interface;
  return renderTemplate(loadTemplate('keepalived.conf.ejs'), {
    routerId: router_id,
    globals,
    vrrp,
    authPass,
    priority,
    trackInterface,
    anchor,
    excluded,
    services,
  });
}

function shippedVersion({ distribution, release }: Facts): string {
  const [major = ''] = release.split('.');
  const rebuild = ['rhel', 'rocky', 'almalinux', 'centos', 'ol'].includes(distribution);
  return shipped[rebuild ? `el ${major}` : `${distribution} ${release}`] ?? '2.1.0';
}

function refuseVersion(version: string, { services }: KeepalivedWant): void {
  if (!atLeast(version, '2.0.4')) throw refuse(`keepalived ${version} cannot test a configuration (-t)`, 'install 2.0.4 or later');
  const idle = services.flatMap(({ realServers }) => realServers).find(({ weight }) => weight === 0);
  if (idle && !atLeast(version, '2.2.0')) {
    throw refuse(
      `keepalived ${version} does not keep weight 0 of ${idle.host}`,
      'take the backend out of the service, or install 2.2.0 or later',
    );
  }
}

/** What directors must agree on, or there are two masters: VRID, advert interval, authentication, the VIPs that adverts name. */
function sharedPart(config: string): string {
  const words =
    config.match(/^[ \t]*(virtual_router_id|advert_int|auth_type|auth_pass)[ \t].*$|^[ \t]*virtual_ipaddress[ \t]*\{[^}]*\}/gm) ?? [];
  return words.map((word) => word.split(/\s+/).filter(Boolean).join(' ')).join('\n');
}

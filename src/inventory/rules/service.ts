import type { VirtualServer } from '../../model.ts';
import { addressOf, familyOf } from '../addresses.ts';
import { type Complaint, fault, keyFault } from '../complaints.ts';
import { methodNames, realServerFaults } from './backend.ts';
import { checkFaults } from './check.ts';
import { type Draft, lineOf, type Subject } from './draft.ts';
import { unreachableVip } from './vip.ts';

/** Rules about virtual servers and what is behind them. */
export function serviceFaults(draft: Draft): readonly Complaint[] {
  return (draft.shape.services ?? []).flatMap((said, index) => {
    const built = draft.fleet.services[index];
    if (!built) return [];
    const subject = { said, built, index };
    const rules = [portFaults, duplicates, vipFaults, realServerFaults, quorumFaults, sorryFaults, checkFaults, methodFaults, wordFaults];
    return rules.flatMap((rule) => rule(subject, draft));
  });
}

function portFaults({ said, index }: Subject): readonly Complaint[] {
  const at = ['services', index];
  if (said.fwmark === undefined) {
    if (said.ports !== undefined)
      return [
        keyFault(
          'no-mark',
          [...at, 'ports'],
          'this service has ports, but no fwmark',
          'one service over several ports is a firewall mark: add fwmark: 1',
        ),
      ];
    return said.port === undefined
      ? [fault('missing', [...at, 'port'], `services[${index}].port is missing`, 'required: a whole number from 1 to 65535')]
      : [];
  }
  if (said.port !== undefined)
    return [keyFault('two-forms', [...at, 'port'], 'this service says both port and fwmark', 'name its port under ports')];
  return said.ports === undefined
    ? [keyFault('missing', [...at, 'fwmark'], 'this service has a fwmark, but no ports', 'say ports: [80, 443]')]
    : [];
}

/** Ports of the service, each as `tcp 80`. */
function endpoints({ port, protocol, fwmark }: VirtualServer): readonly string[] {
  return (fwmark?.ports ?? [{ port, protocol }]).map((each) => `${each.protocol} ${each.port}`);
}

function duplicates({ built, index }: Subject, draft: Draft): readonly Complaint[] {
  const at = ['services', index, 'vip'];
  const sites = draft.fleet.proxy?.sites ?? [];
  const site = sites.findIndex(({ vip, port }) => vip === built.vip && endpoints(built).includes(`tcp ${port}`));
  const clash = draft.fleet.services.findIndex(
    (other, place) => place < index && other.vip === built.vip && endpoints(other).some((port) => endpoints(built).includes(port)),
  );
  const marked = draft.fleet.services.findIndex(
    (other, place) => place < index && built.fwmark !== undefined && other.fwmark?.mark === built.fwmark.mark,
  );
  if (marked >= 0) {
    const found = `the mark ${built.fwmark?.mark} is taken ${lineOf(draft, ['services', marked, 'fwmark'])}`;
    return [fault('duplicate-service', ['services', index, 'fwmark'], found, 'each marked service has its own')];
  }
  if (clash < 0 && site < 0) return [];
  const place = clash >= 0 ? ['services', clash, 'vip'] : ['proxy', 'sites', site, 'vip'];
  const name = `${familyOf(built.vip) === 'ipv6' ? `[${built.vip}]` : built.vip}:${built.port}`;
  return [
    fault('duplicate-service', at, `the service ${name} is there already ${lineOf(draft, place)}`, 'say one service for each VIP and port'),
  ];
}

function vipFaults({ said: { routed }, built, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  return routed ? [] : unreachableVip(built.vip, ['services', index, 'vip'], fleet);
}

function quorumFaults({ built, index }: Subject): readonly Complaint[] {
  const { quorum, hysteresis = 0 } = built;
  if (hysteresis > 0 && hysteresis >= quorum) {
    const found = `the hysteresis ${hysteresis} is not below the quorum ${quorum}`;
    const hint = quorum === 1 ? 'take it away, or say a greater quorum' : `at most ${quorum - 1}; keepalived would lower it`;
    return [fault('hysteresis', ['services', index, 'hysteresis'], found, hint)];
  }
  const total = built.realServers.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0 || quorum + hysteresis <= total) return [];
  if (quorum <= total) {
    const found = `the quorum ${quorum} and the hysteresis ${hysteresis} are more than the weight of all real servers (${total})`;
    const hint = quorum === total ? 'take the hysteresis away, or say a smaller quorum' : `say a hysteresis of at most ${total - quorum}`;
    return [fault('hysteresis', ['services', index, 'hysteresis'], found, `once lost, the quorum would never come back: ${hint}`)];
  }
  const found = `the quorum ${built.quorum} is more than the weight of all real servers (${total})`;
  return [fault('quorum', ['services', index, 'quorum'], found, 'the service would never be up: say less')];
}

function sorryFaults({ built, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  const at = ['services', index, 'sorry_server'];
  if (!built.sorryServer) return [];
  const { address, port } = built.sorryServer;
  if (fleet.vips.includes(address)) {
    return [fault('sorry-server', at, `the sorry server ${address} is a VIP`, 'name a host that answers by itself, such as 127.0.0.1')];
  }
  if (familyOf(address) !== familyOf(built.vip)) {
    return [
      fault(
        'mixed-families',
        at,
        `the sorry server ${address} and the VIP ${built.vip} are of two families`,
        'name one of the same family',
      ),
    ];
  }
  const loopback = /^(?:127\.|::1$)/.test(address);
  if (built.forward === 'nat' && loopback) {
    return [
      fault('sorry-server', at, `the kernel drops what NAT sends to ${address}`, 'name an address of the director that is not loopback'),
    ];
  }
  const director = fleet.hosts.find(
    ({ role, interfaces }) => role === 'director' && interfaces.some((nic) => nic.addresses.map(addressOf).includes(address)),
  );
  if (director && fleet.vrrp && built.forward !== 'nat') {
    const found = `the sorry server ${address} is ${director.name}, which does not have the VIP while another director sends there`;
    return [
      fault(
        'sorry-server',
        at,
        found,
        `say ${address.includes(':') ? '[::1]' : '127.0.0.1'}:${built.port}: each director answers by itself`,
      ),
    ];
  }
  if (port === built.port || built.forward === 'nat') return [];
  const found = `the sorry server has port ${port}, but the service has port ${built.port}`;
  return [fault('dr-port', at, found, `${methodNames[built.forward]} packets on as they are: it answers on the port of the service`)];
}

/** What the forwarding method asks for elsewhere. */
function methodFaults({ said, built, index }: Subject, { shape, fleet }: Draft): readonly Complaint[] {
  const at = ['services', index];
  if (built.forward === 'nat' && !shape.nat) {
    return [
      fault(
        'no-gateway',
        [...at, 'forward'],
        'replies of NAT real servers must go through the directors, and no nat.gateway is said',
        'say nat: { gateway: ADDRESS/LENGTH, interface: NAME }',
      ),
    ];
  }
  const { nat } = fleet;
  if (built.forward === 'nat' && nat && familyOf(nat.gateway.address) !== familyOf(built.vip)) {
    const found = `the VIP ${built.vip} and the gateway ${nat.gateway.address} are of two families`;
    return [
      fault('mixed-families', [...at, 'vip'], found, 'replies of its real servers would not go through the director: use dr or tun for it'),
    ];
  }
  if (said.redirect !== undefined && built.fwmark) {
    const hint = 'real servers answer on the marked ports themselves: take redirect away, or say a service for each port';
    return [keyFault('no-redirect', [...at, 'redirect'], 'a mark has several ports, and one redirect', hint)];
  }
  if (said.redirect !== undefined && built.forward === 'nat') {
    return [
      keyFault('no-redirect', [...at, 'redirect'], 'NAT sends packets to any port by itself', 'say the port of each backend instead'),
    ];
  }
  return [];
}

/** Words that mean something only beside others: keepalived ignores them elsewhere. */
function wordFaults({ said, built, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  const at = ['services', index];
  const faults: Complaint[] = [];
  if (said.one_packet && built.protocol !== 'udp')
    faults.push(fault('one-packet', [...at, 'one_packet'], 'one_packet is for UDP', 'take it away, or say protocol: udp'));
  if (said.persistence_granularity !== undefined) {
    if (said.persistence === undefined)
      faults.push(keyFault('no-persistence', [...at, 'persistence_granularity'], 'this service is not persistent', 'say persistence too'));
    const prefix = !said.persistence_granularity.includes('.');
    if (prefix !== (familyOf(built.vip) === 'ipv6')) {
      faults.push(
        fault(
          'wrong-value',
          [...at, 'persistence_granularity'],
          `services[${index}].persistence_granularity is "${said.persistence_granularity}"`,
          `allowed: ${prefix ? 'a netmask such as 255.255.255.0 for IPv4' : 'a prefix length from 1 to 128 for IPv6'}`,
        ),
      );
    }
  }
  for (const [place, flag] of said.scheduler_flags.entries()) {
    if (!flag.startsWith(`${said.scheduler}-`))
      faults.push(
        fault(
          'scheduler-flag',
          [...at, 'scheduler_flags', place],
          `${flag} is no flag of ${said.scheduler}`,
          'sh has sh-port and sh-fallback, mh has mh-port and mh-fallback',
        ),
      );
  }
  if (fleet.static && said.sorry_server !== undefined && fleet.static.checkInterval === undefined) {
    faults.push(
      keyFault(
        'no-check',
        [...at, 'sorry_server'],
        'nothing looks after static directors: the sorry server would never answer',
        'say static.check_interval too',
      ),
    );
  }
  return faults;
}

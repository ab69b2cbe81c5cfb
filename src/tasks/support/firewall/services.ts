/** The services that load firewall rules on the distributions we meet, and how to be without them. */
import { type Change, type Sh, sh } from '../../../task.ts';

export interface FirewallService {
  /** Unit name. */
  readonly name: string;
  readonly active: boolean;
  readonly enabled: boolean;
}

export const firewallUnits = [
  'firewalld.service',
  'nftables.service',
  'ufw.service',
  'iptables.service',
  'ip6tables.service',
  'netfilter-persistent.service',
];

/** One systemctl; ufw's own switch is asked too, because its unit is active and enabled while ufw is off. */
export const firewallServicesProbe: Sh = sh`[ ! -d /run/systemd/system ] || systemctl show -p Id -p ActiveState -p UnitFileState -- ${firewallUnits}
printf '\n'
[ ! -r /etc/ufw/ufw.conf ] || sed -n 's/^ENABLED=/ufw=/p' /etc/ufw/ufw.conf`;

/** Only those that are active or enabled. One unit under two names (iptables.service on Debian) comes once. */
export function parseFirewallServices(text: string): readonly FirewallService[] {
  const ufw = /^ufw=yes$/m.test(text);
  const services = text.split('\n\n').flatMap((block): readonly FirewallService[] => {
    const field = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
    const name = field('Id');
    if (!firewallUnits.includes(name) || (name === 'ufw.service' && !ufw)) return [];
    const enabled = /^enabled/.test(field('UnitFileState'));
    return [{ name, active: field('ActiveState') === 'active', enabled }];
  });
  return [...new Map(services.map((service) => [service.name, service])).values()].filter(({ active, enabled }) => active || enabled);
}

/** Stops first, disables afterwards: until all is known to work, a reboot brings the firewall back. */
export function firewallOff(services: readonly FirewallService[]): readonly Change[] {
  return [...services.filter(({ active }) => active).map(stop), ...services.filter(({ enabled }) => enabled).map(disable)];
}

function stop({ name }: FirewallService): Change {
  return {
    id: `live:${name}`,
    title: `stop ${name}; rules that no service loaded are not flushed`,
    was: 'active\n',
    will: 'inactive\n',
    unless: sh`! systemctl is-active -q -- ${name}`,
    run: sh`systemctl stop -- ${name}`,
    risk: 'lockout',
  };
}

function disable({ name }: FirewallService): Change {
  return {
    id: `persisted:${name}`,
    title: `do not start ${name} at boot`,
    was: 'enabled\n',
    will: 'disabled\n',
    unless: sh`! systemctl is-enabled -q -- ${name}`,
    run: sh`systemctl disable -- ${name}`,
    risk: 'lockout',
  };
}

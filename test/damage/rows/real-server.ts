/** What makes a backend a real server: the VIP on lo, silence about it, users. */
import type { Damage } from '../damage.ts';

const unit = '/etc/systemd/system/lvsctl-loopback-vip.service';
const file = '/etc/sysctl.d/90-lvsctl-arp.conf';
const vip = `ip -o -4 addr show dev lo | grep -q ' 10.18.43.30/32 scope global'`;
const announce = (value: number) => `[ "$(cat /proc/sys/net/ipv4/conf/all/arp_announce)" = ${value} ]`;
const overridden = (path: string) => `! grep -q '^net.ipv4.conf.all.arp_announce' ${path}`;

export const realServer: readonly Damage[] = [
  {
    kind: 'VIP taken off lo',
    on: 'backend',
    harm: 'ip addr del 10.18.43.30/32 dev lo',
    plan: ['loopback_vip live:10.18.43.30'],
    whole: vip,
  },
  {
    kind: 'VIP on lo a second time, with a wide mask',
    on: 'backend',
    harm: 'ip addr add 10.18.43.30/30 dev lo',
    plan: ['loopback_vip mask:10.18.43.30/30'],
    whole: `${vip} && ! ip -o -4 addr show dev lo | grep -q 10.18.43.30/30`,
  },
  {
    kind: 'VIP on lo with a wide mask instead of /32',
    on: 'backend',
    harm: 'ip addr del 10.18.43.30/32 dev lo; ip addr add 10.18.43.30/31 dev lo',
    plan: ['loopback_vip mask:10.18.43.30/31'],
    whole: vip,
  },
  {
    kind: 'VIP on lo with scope host',
    on: 'backend',
    harm: 'ip addr del 10.18.43.30/32 dev lo; ip addr add 10.18.43.30/32 dev lo scope host',
    plan: ['loopback_vip live:10.18.43.30'],
    whole: vip,
  },
  {
    kind: 'unit of the VIP disabled',
    on: 'backend',
    harm: 'systemctl -q disable lvsctl-loopback-vip',
    plan: ['loopback_vip persisted:lvsctl-loopback-vip.service'],
    whole: 'systemctl -q is-enabled lvsctl-loopback-vip',
  },
  {
    kind: 'unit of the VIP edited',
    on: 'backend',
    harm: `sed -i s,10.18.43.30/32,10.18.43.31/32, ${unit}`,
    plan: [`loopback_vip content:${unit}`],
    whole: `grep -q 10.18.43.30/32 ${unit}`,
  },
  { kind: 'unit of the VIP removed', on: 'backend', harm: `rm ${unit}`, plan: [`loopback_vip content:${unit}`], whole: `[ -s ${unit} ]` },
  {
    kind: 'arp_announce wrong live',
    on: 'backend',
    harm: 'sysctl -qw net.ipv4.conf.all.arp_announce=0',
    plan: ['sysctl live:net.ipv4.conf.all.arp_announce'],
    whole: announce(2),
  },
  {
    kind: 'arp_announce wrong in the file',
    on: 'backend',
    harm: `sed -i 's/all.arp_announce = 2/all.arp_announce = 1/' ${file}`,
    plan: [`sysctl persisted:${file}`],
    whole: `grep -qx 'net.ipv4.conf.all.arp_announce = 2' ${file}`,
  },
  {
    kind: 'file of the sysctls removed',
    on: 'backend',
    harm: `rm ${file}`,
    plan: [`sysctl persisted:${file}`],
    whole: `grep -q all.arp_ignore ${file}`,
  },
  {
    kind: 'arp_announce overridden by a later file of sysctl.d',
    on: 'backend',
    harm: 'echo net.ipv4.conf.all.arp_announce=0 >/etc/sysctl.d/99-tuning.conf',
    plan: ['sysctl override:/etc/sysctl.d/99-tuning.conf'],
    whole: overridden('/etc/sysctl.d/99-tuning.conf'),
  },
  {
    kind: 'arp_announce overridden by /etc/sysctl.conf',
    on: 'backend',
    harm: 'echo net.ipv4.conf.all.arp_announce=0 >>/etc/sysctl.conf',
    plan: ['sysctl override:/etc/sysctl.conf'],
    whole: overridden('/etc/sysctl.conf'),
  },
  {
    kind: "arp_announce overridden by a package's file",
    on: 'backend',
    harm: 'rm -f /etc/sysctl.d/99-vendor.conf; echo net.ipv4.conf.all.arp_announce=0 >/usr/lib/sysctl.d/99-vendor.conf',
    plan: ['sysctl override:/etc/sysctl.d/99-vendor.conf'],
    whole: `[ ! -e /usr/lib/sysctl.d/99-vendor.conf ] || { [ -e /etc/sysctl.d/99-vendor.conf ] && ${overridden('/etc/sysctl.d/99-vendor.conf')}; }`,
  },
];

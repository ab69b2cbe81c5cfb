/** How packets find their way: tunnels, marks, redirected ports, routes, and the units that make them at boot. */
import type { Damage } from '../damage.ts';

const row = (kind: string, harm: string, plan: string, whole: string): Damage => ({ kind, on: 'any', harm, plan: [plan], whole });

const unitRows = (task: string, name: string, undone: readonly string[]): readonly Damage[] => {
  const path = `/etc/systemd/system/lvsctl-${name}.service`;
  return [
    row(
      `unit of ${task} disabled`,
      `systemctl -q disable lvsctl-${name}`,
      `${task} persisted:lvsctl-${name}.service`,
      `systemctl -q is-enabled lvsctl-${name}`,
    ),
    row(
      `unit of ${task} edited`,
      `sed -i 's/^ExecStop=.*/ExecStop=/' ${path}`,
      `${task} content:${path}`,
      `! grep -q '^ExecStop=$' ${path}`,
    ),
    {
      ...row(`unit of ${task} stopped`, `systemctl stop lvsctl-${name}`, '', `systemctl -q is-active lvsctl-${name}`),
      plan: [...undone, `active:lvsctl-${name}.service`].map((id) => `${task} ${id}`),
    },
  ];
};

const mark = (port: number) => `mark 7 for ${port}/tcp to 10.18.43.31`;
const mangle = 'iptables -t mangle PREROUTING';
const nat = 'iptables -t nat PREROUTING';
const redirect = 'redirect 80/tcp of 10.18.43.32 to 4000';
const select = 'from 10.18.43.33 ipproto tcp sport 80 lookup';
const near = `pref 5050 ${select} main suppress_prefixlength 0`;
const own = `pref 5051 ${select} 51`;
const away = 'default via 10.18.43.254 dev eth0 table 51 advmss 1440';
const single = '192.0.2.7 via 10.18.43.254 dev eth0';

export const network: readonly Damage[] = [
  row('end of the tunnel set down', 'ip link set tunl0 down', 'tunnel live:tunl0', 'ip link show tunl0 | grep -q "[,<]UP"'),
  ...unitRows('tunnel', 'tunnel', ['live:tunl0']),
  row(
    'mark of one port taken away',
    'iptables -t mangle -S PREROUTING | grep 443 | sed s/^-A/-D/ | xargs iptables -t mangle',
    `packet_mark live:${mangle}:${mark(443)}`,
    'iptables -t mangle -S PREROUTING | grep -q 443/tcp',
  ),
  ...unitRows(
    'packet_mark',
    'packet-mark',
    [80, 443].map((port) => `live:${mangle}:${mark(port)}`),
  ),
  row(
    'redirected port forgotten',
    'iptables -t nat -S PREROUTING | grep 4000 | sed s/^-A/-D/ | xargs iptables -t nat',
    `port_redirect live:${nat}:${redirect}`,
    'iptables -t nat -S PREROUTING | grep -q 4000',
  ),
  ...unitRows('port_redirect', 'port-redirect', [`live:${nat}:${redirect}`]),
  row(
    'route of one host gone',
    'ip route del 192.0.2.7',
    `route live:route:${single}`,
    'ip route show to exact 192.0.2.7 | grep -q 10.18.43.254',
  ),
  row(
    'route of the replies leads elsewhere',
    'ip route replace default via 10.18.43.253 dev eth0 table 51',
    `route live:route:${away}`,
    'ip route show table 51 | grep -q "10.18.43.254 dev eth0 advmss 1440"',
  ),
  row('rule of the replies gone', 'ip rule del pref 5051', `route live:rule:${own}`, 'ip rule list pref 5051 | grep -q 10.18.43.33'),
  row(
    'systemd-networkd takes our routes away',
    'rm /etc/systemd/networkd.conf.d/lvsctl-route.conf',
    'route content:/etc/systemd/networkd.conf.d/lvsctl-route.conf',
    '[ -s /etc/systemd/networkd.conf.d/lvsctl-route.conf ]',
  ),
  ...unitRows('route', 'route', [`live:route:${away}`, `live:rule:${near}`, `live:rule:${own}`, `live:route:${single}`]),
];

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
/** Where firewalld runs, the rules are its direct ones. */
const direct = (table: string, ip: string, port: number, then: string) =>
  `ipv4 ${table} PREROUTING 0 -d ${ip} -p tcp --dport ${port} -m comment --comment lvsctl -j ${then}`;
const marked = direct('mangle', '10.18.43.31', 443, 'MARK --set-mark 7');
const led = direct('nat', '10.18.43.32', 80, 'REDIRECT --to-ports 4000');
const rule = (kind: string, when: 'live' | 'persisted', plan: string, words: string): Damage => {
  const ask = `firewall-cmd -q ${when === 'live' ? '' : '--permanent '}--direct`;
  return row(
    `${kind} ${when === 'live' ? 'now' : 'at the next start'}`,
    `${ask} --remove-rule ${words}`,
    plan,
    `${ask} --query-rule ${words}`,
  );
};
const redirect = 'redirect 80/tcp of 10.18.43.32 to 4000';
const select = 'from 10.18.43.33 ipproto tcp sport 80 lookup';
const near = `pref 5050 ${select} main suppress_prefixlength 0`;
const own = `pref 5051 ${select} 51`;
const away = 'default via 10.18.43.254 dev eth0 table 51 advmss 1440';
const single = '192.0.2.7 via 10.18.43.254 dev eth0';

export const network: readonly Damage[] = [
  row('end of the tunnel set down', 'ip link set tunl0 down', 'tunnel live:tunl0', 'ip link show tunl0 | grep -q "[,<]UP"'),
  ...unitRows('tunnel', 'tunnel', ['live:tunl0']),
  rule('mark of one port taken away', 'live', `packet_mark live:direct:${mark(443)}`, marked),
  rule('mark of one port taken away', 'persisted', `packet_mark persisted:direct:${mark(443)}`, marked),
  rule('redirected port forgotten', 'live', `port_redirect live:direct:${redirect}`, led),
  rule('redirected port forgotten', 'persisted', `port_redirect persisted:direct:${redirect}`, led),
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

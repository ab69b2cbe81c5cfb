/** What makes a director without keepalived: done on the backends here, each with a virtual server of its own. */
import type { Damage } from '../damage.ts';

const service = '10.18.43.40:8022';
const one = '10.18.43.10:22';
const two = '10.18.43.20:22';
const row = (words: string) => `ipvsadm -S -n | grep -qw -- '${words}'`;
const right = {
  service: row(`-A -t ${service} -s wlc -p 60`),
  one: row(`-a -t ${service} -r ${one} -m -w 2`),
  two: row(`-a -t ${service} -r ${two} -m -w 1`),
};
const rules = '/etc/lvsctl/ipvs.rules';
const vip = `ip -o addr show dev lo | grep -q ' 10.18.43.40/32 '`;
const unit = (name: string) => `/etc/systemd/system/lvsctl-${name}.service`;
const program = (name: string) => `/usr/local/lib/lvsctl/${name}`;
const table = (part: keyof typeof right, kind: string, harm: string, id: string): Damage => ({
  kind,
  on: 'backend',
  harm,
  plan: [`ipvs_rules ${id}`],
  whole: right[part],
  parts: [`static ${part}`],
});
const whole = Object.keys(right).map((part) => `static ${part}`);

export const fixed: readonly Damage[] = [
  table('one', 'static real server: weight changed', `ipvsadm -e -t ${service} -r ${one} -m -w 9`, `edit:${service}>${one}`),
  table('two', 'static real server: deleted', `ipvsadm -d -t ${service} -r ${two}`, `add:${service}>${two}`),
  table('service', 'static virtual server: scheduler changed', `ipvsadm -E -t ${service} -s rr -p 60`, `service:${service}`),
  table('service', 'static virtual server: persistence changed', `ipvsadm -E -t ${service} -s wlc -p 600`, `service:${service}`),
  {
    kind: 'static table emptied',
    on: 'backend',
    harm: 'ipvsadm -C',
    plan: [`ipvs_rules service:${service}`, `ipvs_rules add:${service}>${one}`, `ipvs_rules add:${service}>${two}`],
    whole: Object.values(right).join(' && '),
    parts: whole,
  },
  {
    kind: 'static rules changed on disk',
    on: 'backend',
    harm: `sed -i 's/-s wlc/-s rr/' ${rules}`,
    plan: [`ipvs_rules content:${rules}`],
    whole: `grep -q -- '-s wlc -p 60' ${rules}`,
    parts: ['static rules'],
  },
  {
    kind: 'static rules not restored at boot',
    on: 'backend',
    harm: 'systemctl -q disable lvsctl-ipvs',
    plan: ['ipvs_rules persisted:lvsctl-ipvs.service'],
    whole: 'systemctl -q is-enabled lvsctl-ipvs',
    parts: ['static rules enabled'],
  },
  {
    kind: "ipvsadm's own script turned on",
    on: 'backend',
    harm: `sed -i 's/^AUTO=.*/AUTO="true"/' /etc/default/ipvsadm`,
    plan: ['ipvs_rules conflict:/etc/default/ipvsadm'],
    whole: `! grep -q '^AUTO="true"' /etc/default/ipvsadm`,
    parts: ['static auto'],
  },
  {
    kind: 'static VIP: its program and the address gone',
    on: 'backend',
    harm: 'systemctl stop lvsctl-virtual-address',
    plan: ['virtual_address live:10.18.43.40', 'virtual_address live:lvsctl-virtual-address.service'],
    whole: `${vip} && systemctl -q is-active lvsctl-virtual-address`,
    parts: ['static vip'],
  },
  {
    kind: 'static VIP: unit disabled',
    on: 'backend',
    harm: 'systemctl -q disable lvsctl-virtual-address',
    plan: ['virtual_address persisted:lvsctl-virtual-address.service'],
    whole: 'systemctl -q is-enabled lvsctl-virtual-address',
    parts: ['static vip enabled'],
  },
  {
    kind: 'static VIP: program changed on disk',
    on: 'backend',
    harm: `echo '# more' >>${program('virtual-address')}`,
    plan: [`virtual_address content:${program('virtual-address')}`],
    whole: `! grep -q '^# more' ${program('virtual-address')}`,
    parts: ['static vip program'],
  },
  {
    kind: 'health checks stopped',
    on: 'backend',
    harm: 'systemctl stop lvsctl-ipvs-check',
    plan: ['ipvs_check live:lvsctl-ipvs-check.service'],
    whole: 'systemctl -q is-active lvsctl-ipvs-check && [ -s /run/lvsctl/ipvs-check.state ]',
    parts: ['static check'],
  },
  {
    kind: 'health checks: unit edited',
    on: 'backend',
    harm: `sed -i s/always/no/ ${unit('ipvs-check')}`,
    plan: [`ipvs_check content:${unit('ipvs-check')}`],
    whole: `grep -qx Restart=always ${unit('ipvs-check')}`,
    parts: ['static check unit'],
  },
];

/** What ipvsadm does behind keepalived's back. */
import type { Damage } from '../damage.ts';

const service = '10.18.43.30:80';
const one = '10.18.43.13:80';
const two = '10.18.43.14:80';
const row = (words: string) => `ipvsadm -Ln | tr -s ' ' | grep -q -- '${words}'`;
const right = {
  one: row(`-> ${one} Route 2 `),
  two: row(`-> ${two} Route 1 `),
  service: row(`TCP ${service} wrr persistent 50`),
  foreign: `! ${row('10.18.43.99')}`,
};

/** The parts of a director's table. */
export const table: readonly string[] = Object.keys(right).map((part) => `ipvs ${part}`);

const whole = Object.values(right).join(' && ');
const by = (part: keyof typeof right, kind: string, harm: string, ids: readonly string[], more: Partial<Damage> = {}): Damage => ({
  kind,
  on: 'director',
  harm,
  plan: ids.map((id) => `ipvs ${id}`),
  whole: right[part],
  parts: [`ipvs ${part}`],
  pool: true,
  ...more,
});

export const ipvs: readonly Damage[] = [
  by('one', 'real server deleted with ipvsadm on both directors', `ipvsadm -d -t ${service} -r ${one}`, [`add:${service}>${one}`], {
    on: 'both-directors',
  }),
  by('two', 'real server deleted with ipvsadm on one director', `ipvsadm -d -t ${service} -r ${two}`, [`add:${service}>${two}`]),
  by('one', 'weight changed with ipvsadm', `ipvsadm -e -t ${service} -r ${one} -g -w 7`, [`edit:${service}>${one}`]),
  by('one', 'weight set to 0 with ipvsadm', `ipvsadm -e -t ${service} -r ${one} -g -w 0`, [`edit:${service}>${one}`]),
  by('two', 'forwarding method changed with ipvsadm', `ipvsadm -e -t ${service} -r ${two} -i -w 1`, [`edit:${service}>${two}`]),
  by('service', 'scheduler changed with ipvsadm', `ipvsadm -E -t ${service} -s rr -p 50`, [`service:${service}`]),
  by('service', 'persistence changed with ipvsadm', `ipvsadm -E -t ${service} -s wrr -p 300`, [`service:${service}`]),
  by('service', 'persistence taken away with ipvsadm', `ipvsadm -E -t ${service} -s wrr`, [`service:${service}`]),
  by(
    'service',
    'virtual server deleted with ipvsadm',
    `ipvsadm -D -t ${service}`,
    [`service:${service}`, `add:${service}>${one}`, `add:${service}>${two}`],
    { parts: table, whole },
  ),
  by('foreign', 'foreign real server added with ipvsadm', `ipvsadm -a -t ${service} -r 10.18.43.99:80 -g -w 1`, [
    `remove:${service}>10.18.43.99:80`,
  ]),
  by(
    'two',
    'dead real server added again with ipvsadm',
    `until ! ${row(two)}; do sleep 0.5; done; ipvsadm -a -t ${service} -r ${two} -g -w 1`,
    [`remove:${service}>${two}`],
    {
      pool: false,
      outage: true,
      parts: table,
      whole: `${whole} && curl -s -o /dev/null --max-time 2 http://10.18.43.14/`,
      first: {
        host: 'web2',
        harm: 'systemctl stop nginx',
        plan: ['service start:nginx.service'],
        whole: 'systemctl -q is-active nginx',
        parts: ['nginx process', 'nginx conf'],
      },
    },
  ),
];

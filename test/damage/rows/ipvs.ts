/** What ipvsadm does behind keepalived's back. */
import type { Damage } from '../damage.ts';

const service = '10.18.43.30:80';
const one = '10.18.43.13:80';
const two = '10.18.43.14:80';
const row = (words: string) => `ipvsadm -Ln | tr -s ' ' | grep -q -- '${words}'`;
const both = `${row(`-> ${one} Route 2 `)} && ${row(`-> ${two} Route 1 `)} && ${row(`TCP ${service} wrr persistent 50`)}`;
const by = (kind: string, harm: string, plan: readonly string[], more: Partial<Damage> = {}): Damage => ({
  kind,
  on: 'director',
  harm,
  plan: plan.map((id) => `ipvs ${id}`),
  whole: both,
  part: 'keepalived',
  pool: true,
  ...more,
});

export const ipvs: readonly Damage[] = [
  by('real server deleted with ipvsadm on both directors', `ipvsadm -d -t ${service} -r ${one}`, [`add:${service}>${one}`], {
    on: 'both-directors',
  }),
  by('real server deleted with ipvsadm on one director', `ipvsadm -d -t ${service} -r ${two}`, [`add:${service}>${two}`]),
  by('weight changed with ipvsadm', `ipvsadm -e -t ${service} -r ${one} -g -w 7`, [`edit:${service}>${one}`]),
  by('weight set to 0 with ipvsadm', `ipvsadm -e -t ${service} -r ${one} -g -w 0`, [`edit:${service}>${one}`]),
  by('forwarding method changed with ipvsadm', `ipvsadm -e -t ${service} -r ${two} -i -w 1`, [`edit:${service}>${two}`]),
  by('scheduler changed with ipvsadm', `ipvsadm -E -t ${service} -s rr -p 50`, [`service:${service}`]),
  by('persistence changed with ipvsadm', `ipvsadm -E -t ${service} -s wrr -p 300`, [`service:${service}`]),
  by('persistence taken away with ipvsadm', `ipvsadm -E -t ${service} -s wrr`, [`service:${service}`]),
  by('virtual server deleted with ipvsadm', `ipvsadm -D -t ${service}`, [
    `service:${service}`,
    `add:${service}>${one}`,
    `add:${service}>${two}`,
  ]),
  by('foreign real server added with ipvsadm', `ipvsadm -a -t ${service} -r 10.18.43.99:80 -g -w 1`, [`remove:${service}>10.18.43.99:80`], {
    whole: `${both} && ! ${row('10.18.43.99')}`,
  }),
  by(
    'dead real server added again with ipvsadm',
    `until ! ${row(two)}; do sleep 0.5; done; ipvsadm -a -t ${service} -r ${two} -g -w 1`,
    [`remove:${service}>${two}`],
    {
      pool: false,
      outage: true,
      whole: `${both} && curl -s -o /dev/null --max-time 2 http://10.18.43.14/`,
      first: {
        part: 'nginx',
        host: 'web2',
        harm: 'systemctl stop nginx',
        plan: ['service start:nginx.service'],
        whole: 'systemctl -q is-active nginx',
      },
    },
  ),
];

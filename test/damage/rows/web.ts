/** Layer 7 on the directors: nginx that passes requests on, its certificate; and Apache. */
import type { Damage } from '../damage.ts';

const proxy = '/etc/nginx/conf.d/lvsctl-proxy.conf';
const certificate = '/etc/ssl/lvsctl/www.crt';
const key = '/etc/ssl/lvsctl/www.key';
const passes = 'curl -s --max-time 5 http://127.0.0.1:8090/ | grep -q "^web[12]$"';
const trusted = `curl -s --max-time 5 --cacert ${certificate} --resolve www.example.org:8443:127.0.0.1 https://www.example.org:8443/ | grep -q web`;
const wrong = `cp -p ${proxy} /root/proxy; sed -i s/:8090/:8089/ ${proxy}`;
const site = '/etc/apache2/sites-available/lvsctl.conf';
const link = '/etc/apache2/sites-enabled/lvsctl.conf';
const answers = 'curl -s --max-time 5 http://127.0.0.1:8091/ | grep -qx "$(hostname)"';
const fresh = 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null';

export const web: readonly Damage[] = [
  {
    kind: 'upstreams of nginx edited',
    parts: ['proxy'],
    on: 'director',
    harm: `sed -i s/max_fails=1/max_fails=7/ ${proxy}`,
    plan: [`nginx_proxy content:${proxy}`],
    whole: `! grep -q max_fails=7 ${proxy} && ${passes}`,
  },
  {
    kind: 'proxy put right with its old time, nginx runs with the wrong one',
    parts: ['proxy'],
    on: 'director',
    harm: `${wrong}; systemctl reload nginx; sleep 3; mv /root/proxy ${proxy}`,
    plan: ['nginx_proxy live:reload'],
    whole: passes,
  },
  {
    kind: 'folder of the log of a site removed',
    parts: ['proxy log'],
    on: 'director',
    harm: 'rm -r /srv/logs',
    plan: ['nginx_proxy create:/srv/logs'],
    whole: '[ -d /srv/logs ]',
  },
  {
    kind: 'private key exchanged for another',
    parts: ['proxy', 'certificate'],
    on: 'director',
    harm: `${fresh} >/root/key && cat /root/key >${key}`,
    plan: [`tls_certificate certificate:${certificate}`, 'nginx_proxy live:reload'],
    whole: `[ "$(openssl pkey -in ${key} -pubout)" = "$(openssl x509 -in ${certificate} -noout -pubkey)" ] && ${trusted}`,
  },
  {
    kind: 'private key that everybody can read',
    parts: ['proxy', 'certificate'],
    on: 'director',
    harm: `chmod 644 ${key}`,
    plan: [`tls_certificate attributes:${key}`, 'nginx_proxy live:reload'],
    whole: `[ "$(stat -c %a ${key})" = 600 ]`,
  },
  {
    kind: 'site of Apache edited',
    parts: ['apache site'],
    on: 'director',
    harm: `sed -i s,/var/www/lvsctl/default,/srv/elsewhere, ${site}`,
    plan: [`apache_config content:${site}`],
    whole: `! grep -q elsewhere ${site} && ${answers}`,
  },
  {
    kind: 'port of Apache changed and loaded',
    parts: ['apache site'],
    on: 'director',
    harm: 'sed -i s/8091/8092/ /etc/apache2/ports.conf; systemctl reload apache2; sleep 2',
    plan: ['apache_config content:/etc/apache2/ports.conf'],
    whole: answers,
  },
  {
    kind: 'site of Apache put right with its old time, Apache runs with the wrong one',
    parts: ['apache site'],
    on: 'director',
    harm: `cp -p ${site} /root/site; sed -i s,/var/www/lvsctl/default,/srv/elsewhere, ${site}; systemctl reload apache2; sleep 3; mv /root/site ${site}`,
    plan: ['apache_config live:reload'],
    whole: answers,
  },
  {
    kind: 'site of Apache switched off, the page of welcome on',
    parts: ['apache site'],
    on: 'director',
    harm: `rm ${link}; ln -s ../sites-available/000-default.conf /etc/apache2/sites-enabled/; systemctl reload apache2; sleep 2`,
    plan: [`apache_config link:${link}`, 'apache_config remove:/etc/apache2/sites-enabled/000-default.conf'],
    whole: answers,
  },
  {
    kind: 'page of Apache changed',
    parts: ['apache page'],
    on: 'director',
    harm: 'echo other >/var/www/lvsctl/default/index.html',
    plan: ['apache_config content:/var/www/lvsctl/default/index.html'],
    whole: answers,
  },
];

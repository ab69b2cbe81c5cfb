/** nginx: its process, its unit, its binary, its configuration, its limits. */
import type { Damage } from '../damage.ts';

const prefix = '/usr/local/nginx';
const conf = `${prefix}/conf/nginx.conf`;
const unit = '/etc/systemd/system/nginx.service';
const dropIn = '/etc/systemd/system/nginx.service.d/lvsctl-limits.conf';
const logins = '/etc/security/limits.d/lvsctl-user-nginx-nofile.conf';
const runs = 'systemctl -q is-active nginx && curl -s --max-time 3 http://127.0.0.1/ | grep -q "$(hostname)"';
const current = `[ "$(stat -L -c %i /proc/$(cat ${prefix}/logs/nginx.pid)/exe)" = "$(stat -c %i ${prefix}/sbin/nginx)" ]`;
const wrong = `cp -p ${conf} /root/kept; sed -i 's/^ *listen .*/&\\n        listen 127.0.0.1:8099;/' ${conf}`;
const reload = 'systemctl reload nginx; sleep 3';
const read = `systemctl show -p NeedDaemonReload nginx | grep -qx NeedDaemonReload=no`;
/** nginx listens as its wrong configuration says. */
const listens = 'curl -s -o /dev/null --max-time 3 http://127.0.0.1:8099/';

export const nginx: readonly Damage[] = [
  {
    kind: 'nginx stopped',
    parts: ['nginx process'],
    on: 'backend',
    harm: 'systemctl stop nginx',
    plan: ['service start:nginx.service'],
    whole: runs,
    outage: true,
  },
  {
    kind: 'nginx killed',
    parts: ['nginx process'],
    on: 'backend',
    harm: 'pkill -9 -x nginx; sleep 1',
    plan: ['service start:nginx.service'],
    whole: runs,
    outage: true,
  },
  {
    kind: 'nginx disabled',
    parts: ['nginx link'],
    on: 'backend',
    harm: 'systemctl -q disable nginx',
    plan: ['service enable:nginx.service'],
    whole: 'systemctl -q is-enabled nginx',
  },
  {
    kind: 'unit of nginx edited',
    parts: ['nginx unit', 'daemon-reload'],
    on: 'backend',
    harm: `sed -i s/TimeoutStopSec=30/TimeoutStopSec=1/ ${unit}`,
    plan: [`systemd_unit content:${unit}`],
    whole: `grep -qx TimeoutStopSec=30 ${unit} && ${read}`,
  },
  {
    kind: 'unit of nginx put right, systemd knows the wrong one',
    parts: ['nginx unit', 'daemon-reload'],
    on: 'backend',
    harm: `cp -p ${unit} /root/unit; sed -i s/TimeoutStopSec=30/TimeoutStopSec=1/ ${unit}; systemctl daemon-reload; sleep 1; cat /root/unit >${unit}`,
    plan: ['systemd_unit daemon-reload:nginx.service'],
    whole: `systemctl show -p TimeoutStopUSec nginx | grep -qx TimeoutStopUSec=30s && ${read}`,
  },
  {
    kind: 'unit of nginx removed',
    parts: ['nginx unit', 'daemon-reload'],
    on: 'backend',
    harm: `rm ${unit}`,
    plan: [`systemd_unit content:${unit}`],
    whole: `[ -s ${unit} ] && ${read}`,
  },
  {
    kind: 'binary of nginx replaced by another',
    parts: ['nginx process'],
    on: 'backend',
    harm: `cp /bin/true ${prefix}/sbin/other; mv ${prefix}/sbin/other ${prefix}/sbin/nginx`,
    plan: ['nginx_source install'],
    whole: `${prefix}/sbin/nginx -V 2>&1 | grep -q nginx/1.26.3 && ${current} && ${runs}`,
    outage: true,
  },
  {
    kind: 'nginx runs a binary that is deleted',
    parts: ['nginx process'],
    on: 'backend',
    harm: `cp -p ${prefix}/sbin/nginx ${prefix}/sbin/same; mv ${prefix}/sbin/same ${prefix}/sbin/nginx`,
    plan: ['nginx_source live:restart'],
    whole: `${current} && ${runs}`,
    outage: true,
  },
  {
    kind: 'nginx.conf edited',
    parts: ['nginx conf'],
    on: 'backend',
    harm: wrong,
    plan: [`nginx_config content:${conf}`],
    whole: `! grep -q 8099 ${conf}`,
  },
  {
    kind: 'nginx.conf put right with its old time, nginx runs with the wrong one',
    parts: ['nginx process', 'nginx conf'],
    on: 'backend',
    harm: `${wrong}; ${reload}; mv /root/kept ${conf}`,
    plan: ['nginx_config live:reload'],
    whole: `! ${listens}`,
  },
  {
    kind: 'nginx.conf put right just now, nginx runs with the wrong one',
    parts: ['nginx process', 'nginx conf'],
    on: 'backend',
    harm: `${wrong}; ${reload}; cat /root/kept >${conf}`,
    plan: ['nginx_config live:reload'],
    whole: `! ${listens}`,
  },
  {
    kind: 'page of nginx changed',
    parts: ['nginx page'],
    on: 'backend',
    harm: `echo other >${prefix}/html/host/index.html`,
    plan: [`nginx_config content:${prefix}/html/host/index.html`],
    whole: runs,
  },
  {
    kind: 'nginx.conf with another mode',
    parts: ['nginx conf'],
    on: 'backend',
    harm: `chmod 666 ${conf}`,
    plan: [`nginx_config attributes:${conf}`],
    whole: `[ "$(stat -c %a ${conf})" = 644 ]`,
  },
  {
    kind: 'limit right in the file, wrong in the process',
    parts: ['nginx process'],
    on: 'backend',
    harm: `prlimit --pid "$(cat ${prefix}/logs/nginx.pid)" --nofile=1024:1024`,
    plan: ['limits live:nginx.service'],
    whole: `grep -q '^Max open files *65535 *65535' "/proc/$(cat ${prefix}/logs/nginx.pid)/limits"`,
  },
  {
    kind: "limit wrong in the unit's file, right in the process",
    parts: ['nginx unit', 'daemon-reload'],
    on: 'backend',
    harm: `sed -i s/LimitNOFILE=.*/LimitNOFILE=1024/ ${dropIn}; systemctl daemon-reload`,
    plan: [`limits content:${dropIn}`],
    whole: 'systemctl show -p LimitNOFILE nginx | grep -qx LimitNOFILE=65535',
  },
  {
    kind: 'limit of logins wrong',
    parts: ['nginx logins'],
    on: 'backend',
    harm: `sed -i s/65535/1024/ ${logins}`,
    plan: [`limits content:${logins}`],
    whole: `[ "$(grep -c 65535 ${logins})" = 2 ]`,
  },
  {
    kind: "shell of nginx's user changed",
    on: 'backend',
    harm: 'usermod -s /bin/bash nginx',
    plan: ['user shell:nginx'],
    whole: 'getent passwd nginx | grep -q nologin',
  },
];

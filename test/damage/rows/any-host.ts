/** What any host has: firewall, SELinux, accounts, packages, names, jobs, mounts, files. */
import type { Damage } from '../damage.ts';

const any = (kind: string, harm: string, plan: string | readonly string[], whole: string, more: Partial<Damage> = {}): Damage => ({
  kind,
  on: 'any',
  harm,
  plan: typeof plan === 'string' ? [plan] : plan,
  whole,
  ...more,
});
const rich = (flags: string) => `firewall-cmd ${flags} --list-rich-rules | grep -q vrrp`;
const director: Partial<Damage> = { on: 'director' };
const vrrp = `"--remove-rich-rule=$(firewall-cmd --list-rich-rules | grep vrrp)"`;
const direct = 'ipv4 raw PREROUTING 0 -d 10.18.43.30 -p tcp --dport 80 -j CT --notrack';
const stat = (format: string, path: string, value: string) => `[ "$(stat -c ${format} ${path})" = ${value} ]`;

const protection: readonly Damage[] = [
  any(
    'port closed in the running firewall only',
    'firewall-cmd -q --remove-port=80/tcp',
    'firewall live:public:80/tcp',
    'firewall-cmd -q --query-port=80/tcp',
    {
      on: 'backend',
      parts: ['nginx process', 'firewall'],
      outage: true,
    },
  ),
  any(
    'port closed for the next start only',
    'firewall-cmd -q --permanent --remove-port=80/tcp',
    'firewall persisted:public:80/tcp',
    'firewall-cmd -q --permanent --query-port=80/tcp',
  ),
  any('VRRP refused by the running firewall only', `firewall-cmd -q ${vrrp}`, 'firewall live:public:vrrp from {peer}', rich(''), director),
  any(
    'VRRP refused from the next start on only',
    `firewall-cmd -q --permanent ${vrrp}`,
    'firewall persisted:public:vrrp from {peer}',
    rich('--permanent'),
    director,
  ),
  any(
    'half connections tracked by the running firewall',
    `firewall-cmd -q --direct --remove-rule ${direct}`,
    'firewall live:direct:10.18.43.30:80/tcp',
    `firewall-cmd -q --direct --query-rule ${direct}`,
    director,
  ),
  any(
    'SELinux enforcing from the next boot on',
    'sed -i s/^SELINUX=.*/SELINUX=enforcing/ /etc/selinux/config',
    'selinux persisted:mode',
    'grep -qx SELINUX=permissive /etc/selinux/config',
  ),
  any(
    'SELinux off from the next boot on',
    'sed -i s/^SELINUX=.*/SELINUX=disabled/ /etc/selinux/config',
    'selinux persisted:mode',
    'grep -qx SELINUX=permissive /etc/selinux/config',
  ),
];

const accounts: readonly Damage[] = [
  any('shell of a user changed', 'usermod -s /bin/bash operator', 'user shell:operator', 'getent passwd operator | grep -q :/bin/sh$'),
  any('home of a user changed', 'usermod -d /tmp operator', 'user home:operator', 'getent passwd operator | grep -q :/home/operator:'),
  any('home directory of a user removed', 'rm -r /home/operator', 'user home-directory:operator', stat('%U', '/home/operator', 'operator')),
  any('group of a user changed', 'usermod -g users operator', 'user group:operator', '[ "$(id -gn operator)" = operators ]'),
  any('user removed', 'userdel visitor', 'user create:visitor', 'getent passwd visitor >/dev/null'),
  any('group removed', 'groupdel auditors', 'group create:auditors', 'getent group auditors >/dev/null'),
  any('number of a group changed', 'groupmod -g 2999 operators', [], '[ "$(getent group operators | cut -d: -f3)" = 2000 ]', {
    refused: { words: 'the group operators has the number 2999, not 2000', undo: 'groupmod -g 2000 operators' },
  }),
];

const system: readonly Damage[] = [
  any(
    'package removed that was held',
    'dpkg --force-hold --remove tcpdump >/dev/null 2>&1',
    ['package install:tcpdump', 'package hold:tcpdump'],
    'apt-mark showhold | grep -qx tcpdump && dpkg -s tcpdump | grep -q "ok installed"',
  ),
  any('package held no longer', 'apt-mark unhold tcpdump >/dev/null', 'package hold:tcpdump', 'apt-mark showhold | grep -qx tcpdump'),
  any('package held back', 'apt-mark hold conntrack >/dev/null', 'package release:conntrack', '! apt-mark showhold | grep -qx conntrack'),
  any('module not loaded', 'rmmod dummy', 'kernel_module load:dummy', '[ -d /sys/module/dummy ]'),
  any(
    'options of a module changed',
    'echo options dummy numdummies=4 >/etc/modprobe.d/lvsctl-dummy.conf',
    'kernel_module content:/etc/modprobe.d/lvsctl-dummy.conf',
    'grep -q numdummies=0 /etc/modprobe.d/lvsctl-dummy.conf',
  ),
  any('hostname wrong live', 'hostname stranger', 'hostname live:hostname', '[ "$(uname -n)" = "$name" ]'),
  any(
    'hostname wrong in the file',
    'echo stranger >/etc/hostname',
    'hostname content:/etc/hostname',
    '[ "$(cat /etc/hostname)" = "$name" ]',
  ),
  any(
    'a line of /etc/hosts gone',
    'sed -i /www/d /etc/hosts',
    'etc_hosts lines:/etc/hosts',
    'getent hosts www.example.org | grep -q 10.18.43.30',
  ),
  any(
    'a name leads elsewhere in /etc/hosts',
    'sed -i "1i 10.18.43.99 www" /etc/hosts',
    'etc_hosts lines:/etc/hosts',
    '! grep -q 10.18.43.99 /etc/hosts',
  ),
  any(
    'sysctl of a range changed live',
    'sysctl -qw net.ipv4.ip_local_port_range="32768 60999"',
    'sysctl live:net.ipv4.ip_local_port_range',
    '[ "$(sysctl -n net.ipv4.ip_local_port_range | tr "\\t" " ")" = "10240 65000" ]',
  ),
];

const jobs: readonly Damage[] = [
  any(
    'line of cron changed',
    'sed -i s/^17/18/ /etc/cron.d/lvsctl-report',
    'cron content:/etc/cron.d/lvsctl-report',
    'grep -q "^17 3" /etc/cron.d/lvsctl-report',
  ),
  any('cron stopped', 'systemctl stop cron', 'cron start:cron.service', 'systemctl -q is-active cron'),
  any('cron disabled', 'systemctl -q disable cron', 'cron enable:cron.service', 'systemctl -q is-enabled cron'),
  any('timer stopped', 'systemctl stop sweep.timer', 'timer start:sweep.timer', 'systemctl -q is-active sweep.timer'),
  any('timer disabled', 'systemctl -q disable sweep.timer', 'timer enable:sweep.timer', 'systemctl -q is-enabled sweep.timer'),
  any(
    'time of a timer changed',
    'sed -i s/04:30/05:30/ /etc/systemd/system/sweep.timer; systemctl daemon-reload; systemctl restart sweep.timer',
    'timer content:/etc/systemd/system/sweep.timer',
    'systemctl show -p TimersCalendar sweep.timer | grep -q 04:30',
    { parts: ['timer', 'daemon-reload'] },
  ),
  any('file system unmounted', 'umount /srv/scratch', 'mount mount:/srv/scratch', 'mountpoint -q /srv/scratch'),
  any(
    'file system mounted with other options',
    'mount -o remount,suid /srv/scratch',
    'mount remount:/srv/scratch',
    'grep " /srv/scratch " /proc/mounts | grep -q nosuid',
  ),
  any('line of fstab gone', 'sed -i "\\\\, /srv/scratch ,d" /etc/fstab', 'mount lines:/etc/fstab', 'grep -q /srv/scratch /etc/fstab'),
  any(
    'limit of a service wrong in its process',
    'prlimit --pid "$(systemctl show -p MainPID --value cron)" --nofile=512:512',
    'limits live:cron.service',
    'grep -q "^Max open files *2048 *4096" "/proc/$(systemctl show -p MainPID --value cron)/limits"',
  ),
];

const files: readonly Damage[] = [
  any(
    'mode of a directory changed',
    'chmod 777 /srv/site/pages',
    'directory attributes:/srv/site/pages',
    stat('%a', '/srv/site/pages', '750'),
  ),
  any(
    'owner of a directory changed',
    'chown root:root /srv/site/pages',
    'directory attributes:/srv/site/pages',
    stat('%U:%G', '/srv/site/pages', 'operator:operators'),
  ),
  any(
    'a file in a directory given to somebody else',
    'touch /srv/site/pages/all/page',
    'directory owner:/srv/site/pages/all',
    '[ -z "$(find /srv/site/pages/all ! -user operator)" ]',
  ),
  any('directory removed', 'rm -r /srv/site/pages/all', 'directory create:/srv/site/pages/all', '[ -d /srv/site/pages/all ]'),
  any(
    'link leads elsewhere',
    'ln -sfn /tmp /srv/site/current',
    'file link:/srv/site/current',
    '[ "$(readlink /srv/site/current)" = /srv/site/pages ]',
  ),
  any('a file is back that was to go', 'echo >/etc/issue.old', 'file remove:/etc/issue.old', '[ ! -e /etc/issue.old ]'),
  any('content of a file changed', 'echo welcome >/etc/motd', 'copy content:/etc/motd', 'grep -qx "Authorised use only." /etc/motd'),
  any(
    'owner of a copied file changed',
    'chown root /srv/site/banner.txt',
    'copy attributes:/srv/site/banner.txt',
    stat('%U', '/srv/site/banner.txt', 'operator'),
  ),
  any(
    'mode of a file from a template changed',
    'chmod 644 /srv/site/host.conf',
    'template attributes:/srv/site/host.conf',
    stat('%a', '/srv/site/host.conf', '600'),
  ),
  any(
    'downloaded file changed',
    'echo >>/srv/site/downloaded.tar',
    'download content:/srv/site/downloaded.tar',
    'tar -tf /srv/site/downloaded.tar >/dev/null && [ "$(stat -c %s /srv/site/downloaded.tar)" = 10240 ]',
  ),
  any('unpacked files gone', 'rm -r /srv/site/unpacked', 'unarchive unpack:/srv/site', '[ -s /srv/site/unpacked/page.html ]'),
  any(
    'a line of a file changed',
    'sed -i s/^UMASK.*/UMASK\\ 000/ /etc/login.defs',
    'line_in_file lines:/etc/login.defs',
    'grep -qx "UMASK 027" /etc/login.defs',
  ),
  any('result of a command gone', 'rm /srv/commanded', 'command run', '[ -e /srv/commanded ]'),
  any('result of a script gone', 'rm /srv/scripted', 'script run', 'grep -qx done /srv/scripted'),
];

export const anyHost: readonly Damage[] = [...protection, ...accounts, ...system, ...jobs, ...files];

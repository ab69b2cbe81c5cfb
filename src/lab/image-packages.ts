import type { LabSettings } from '../model.ts';

/** What every lab machine has, like a bare Debian server: it boots, has an address, ssh, and tools to look around. */
const basePackages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'kmod', 'procps', 'netbase', 'iproute2', 'openssh-server', 'sudo', 'curl'],
  ...['iputils-ping', 'iputils-arping', 'ca-certificates'],
];

/** firewalld over iptables, since the lab's kernel has no inet tables of nft. */
const firewalldPackages = ['iptables', 'ipset'];

const selinuxPackages = ['selinux-policy-default', 'selinux-utils', 'policycoreutils'];

/** What the image of these settings has installed; sorted, without doubles. */
export function imagePackages(settings: LabSettings): readonly string[] {
  const { packages, selinux } = settings;
  const firewalld = packages.includes('firewalld') ? firewalldPackages : [];
  return [...new Set([...basePackages, ...packages, ...firewalld, ...(selinux ? selinuxPackages : [])])].sort();
}

/**
 * What the lab's apt repository carries, with all that these depend on: what a deploy may install. Each line is resolved by itself, so
 * that packages which exclude each other can both be there. Add here what a new task installs.
 */
export const repositoryPackages: readonly (readonly string[])[] = [
  ['keepalived', 'ipvsadm', 'tcpdump', 'conntrack'],
  ['gcc', 'make', 'libc6-dev', 'libpcre2-dev', 'zlib1g-dev', 'libssl-dev', 'libxml2-dev', 'libxslt1-dev'],
  ['pkg-config', 'libnl-3-dev', 'libnl-genl-3-dev', 'libpopt-dev', 'libsystemd-dev', 'libnftnl-dev', 'libmnl-dev', 'libjson-c-dev'],
  ['firewalld', 'iptables', 'ipset', 'nftables'],
  ['apache2'],
  ['nginx', 'libnginx-mod-stream', 'openssl'],
];

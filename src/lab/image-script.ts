/**
 * Turns a fresh Debian root (`$1`) into the lab's base machine and fills `$LVSCTL_REPOSITORY` with .debs. Run by mmdebstrap as its
 * last hook, when apt in the root still has lists and sources. `$LVSCTL_PACKAGES`: one line per set of packages for the repository; `$LVSCTL_MODULES`: the
 * folder of the kernel's modules.
 */
export const imageScript = `#!/bin/sh
set -eu
root=$1

printf '%s\\n' "$LVSCTL_PACKAGES" | while read -r packages; do
  # shellcheck disable=SC2086 # names of packages, one word each
  chroot "$root" apt-get install --yes --no-install-recommends --download-only $packages </dev/null
done
mv "$root"/var/cache/apt/archives/*.deb "$LVSCTL_REPOSITORY"
(cd "$LVSCTL_REPOSITORY" && apt-ftparchive packages . >Packages && apt-ftparchive release . >../Release && mv ../Release Release)

mkdir -p "$root"/usr/lib/modules
cp -a "$LVSCTL_MODULES" "$root"/usr/lib/modules/
chroot "$root" depmod "\${LVSCTL_MODULES##*/}"

rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub "$root"/etc/hostname "$root"/etc/hosts "$root"/etc/resolv.conf
rm -f "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/update-motd.d/*
: >"$root"/etc/resolv.conf
: >"$root"/etc/machine-id
: >"$root"/etc/motd
printf 'force-unsafe-io\\n' >"$root"/etc/dpkg/dpkg.cfg.d/lab
printf 'Acquire::Languages "none";\\n' >"$root"/etc/apt/apt.conf.d/99lab
printf 'UseDNS no\\n' >"$root"/etc/ssh/sshd_config.d/lab.conf

# Unpacks what makes this machine itself from the second disk, on its first boot only; the stamp is the last file of the archive.
cat >"$root"/etc/systemd/system/lab-identity.service <<'UNIT'
[Unit]
Description=Name, keys and addresses of this lab machine
DefaultDependencies=no
ConditionPathExists=!/etc/lab-machine
After=systemd-remount-fs.service
Before=systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service systemd-sysctl.service systemd-modules-load.service sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/tar --extract --preserve-permissions --overwrite --file /dev/ubdb --directory /
ExecStart=/bin/hostname --file /etc/hostname
ExecStart=/bin/sync
[Install]
WantedBy=sysinit.target
UNIT
chroot "$root" systemctl --quiet enable lab-identity.service systemd-networkd.service ssh.service
# Housekeeping, consoles and file systems that a machine of an hour does not need, each of which costs time to boot.
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \\
  e2scrub_reap.service fstrim.timer logrotate.timer man-db.timer getty.target console-getty.service getty@tty1.service \\
  dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \\
  proc-sys-fs-binfmt_misc.automount systemd-pstore.service systemd-binfmt.service systemd-hwdb-update.service \\
  modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service modprobe@dm_mod.service \\
  modprobe@loop.service keyboard-setup.service systemd-ask-password-console.path systemd-ask-password-wall.path \\
  systemd-sysusers.service systemd-network-generator.service systemd-update-utmp-runlevel.service \\
  systemd-update-utmp.service systemd-random-seed.service
# Of all the devices that the kernel has made before, disks and cards are what anything here waits for.
mkdir -p "$root"/etc/systemd/system/systemd-udev-trigger.service.d
cat >"$root"/etc/systemd/system/systemd-udev-trigger.service.d/lab.conf <<'UNIT'
[Service]
ExecStart=
ExecStart=-udevadm trigger --type=all --action=add --subsystem-match=module --subsystem-match=block --subsystem-match=net
UNIT
mkdir -p "$root"/etc/systemd/system-generators
for generator in cryptsetup debug getty gpt-auto hibernate-resume integritysetup rc-local run system-update veritysetup tpm2 ssh; do
  ln -s /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
done

if [ -e "$root"/etc/selinux/config ]; then
  sed -i 's/^SELINUX=.*/SELINUX=permissive/' "$root"/etc/selinux/config
fi
# This kernel has no inet tables of nft.
if [ -e "$root"/etc/firewalld/firewalld.conf ]; then
  sed -i 's/^FirewallBackend=.*/FirewallBackend=iptables/' "$root"/etc/firewalld/firewalld.conf
fi
for tool in iptables ip6tables; do
  if [ -e "$root/usr/sbin/$tool-legacy" ]; then chroot "$root" update-alternatives --set "$tool" "/usr/sbin/$tool-legacy"; fi
done
`;

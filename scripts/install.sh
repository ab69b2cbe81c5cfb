#!/bin/sh
# Brings a Debian machine to where lvsctl can be built, tested and rehearsed. Installs only what is missing; safe to run again.
# Afterwards ./.tools/node/bin (when the machine's own Node is missing or too old) comes first in the PATH of whoever sourced this.
set -eu
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive

say() { printf '== %s\n' "$*"; }

# The lab: kernels, images, network. The tests: a real sshd, every shell a target may have, a linter for what is sent to them.
wanted='patchelf mmdebstrap e2fsprogs apt-utils ethtool iproute2 openssh-client mount util-linux ca-certificates
  gcc openssh-server sudo dash bash busybox mksh csh fish shellcheck curl rpm dnf dnf-plugins-core createrepo-c
  nftables iptables python3-minimal gpg gpg-agent tcpdump'

missing=''
for package in $wanted; do
  case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $package" ;;
  esac
done

new_enough() { node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

PATH=$PWD/.tools/node/bin:$PATH
export PATH
node_wanted=''
if ! new_enough; then
  node_wanted=yes
  command -v npm >/dev/null || missing="$missing npm"
fi

if [ -n "$missing" ]; then
  say "installing Debian packages:$missing"
  apt-get update -q
  # sshd comes for the tests, which start their own: the machine's must not begin to listen because of us.
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then policy=''; else
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  # shellcheck disable=SC2086  # a list of words
  apt-get install -q -y --no-install-recommends $missing
  [ -z "$policy" ] || rm -f "$policy"
  trap - EXIT
fi

if [ -n "$node_wanted" ]; then
  say 'installing Node 20 into .tools/node (this machine has none that is new enough)'
  case $(uname -m) in aarch64) architecture=arm64 ;; *) architecture=x64 ;; esac
  npm install --prefix .tools --no-save --no-package-lock --ignore-scripts --no-audit --no-fund "node-linux-$architecture@20.20.2"
  rm -rf .tools/node
  mv ".tools/node_modules/node-linux-$architecture" .tools/node
fi

say 'installing libraries and building'
# Not `npm ci`: npm 11 refuses a lock file without the optional packages of platforms that a mirror does not carry.
npm install --no-save --ignore-scripts --no-audit --no-fund
npm run --silent build

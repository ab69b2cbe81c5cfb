#!/bin/sh
# The main job, from nothing: boots a rehearsal of an inventory, deploys it, verifies it and shows the cluster.
#   scripts/rehearse.sh [INVENTORY]
set -eu
inventory=$(realpath "${1:-$(dirname "$0")/../inventory/dr.yaml}")
. "$(dirname "$0")/install.sh"

lvsctl() { bin/lvsctl "$@"; }

lvsctl lab up "$inventory"
lvsctl deploy "$inventory" --lab --yes
say 'the cluster, as its directors and a client see it'
lvsctl lab exec "$inventory" directors -- "ip -br -4 addr; cat /proc/net/ip_vs"
say "it keeps running; look around with \"$PWD/bin/lvsctl lab ssh $inventory HOST\", end it with \"$PWD/bin/lvsctl lab down $inventory\""

#!/bin/sh
# All tests, from nothing: installs what is missing, then types, lint, unit tests, a real sshd, and the cluster on real kernels.
set -eu
. "$(dirname "$0")/install.sh"
npm run types
npm run lint
npm run dead
npm test

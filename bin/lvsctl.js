#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 20 || (major === 20 && minor >= 19)) await import('../dist/cli/main.js');
else {
  process.stderr.write(
    `error: lvsctl needs Node 20.19 or newer, this is ${process.versions.node}; run bin/lvsctl, or sh scripts/install.sh\n`,
  );
  process.exitCode = 4;
}

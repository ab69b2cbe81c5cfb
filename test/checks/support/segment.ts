/**
 * A client and a web server on a segment of their own: two network namespaces that end with the test, where probes of checks run for
 * real. Nothing of them touches this machine's network.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quote, renderSh, type Sh } from '../../../src/sh/sh.ts';

export interface Segment {
  /** Bodies that the server answers with, in turn; datagrams to port 53 too, but not with `silence`. ECHO is what was sent. */
  readonly pages: readonly string[];
  /** Commands in the client's namespace before the probe. It has eth0 with 10.18.43.50/24. */
  readonly client?: string;
  /** Commands in the server's. It has peer0 with 10.18.43.20/24 and 10.18.43.30/32, its MAC is 02:00:00:00:00:20. */
  readonly server?: string;
}

export interface Probed {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
  /** IPv4 addresses of the client's eth0 afterwards. */
  readonly left: readonly string[];
}

const server = `
const { createServer } = require('node:http');
const { createSocket } = require('node:dgram');
const pages = JSON.parse(process.env.PAGES);
let next = 0;
const udp = createSocket('udp4');
let nextAnswer = 0;
udp.on('message', (said, { port, address }) => {
  const page = pages[nextAnswer++ % pages.length];
  if (page !== 'silence') udp.send(page.replace('ECHO', said.toString('hex')), port, address);
});
udp.bind(53, '0.0.0.0');
createServer((_, answer) => answer.end(pages[next++ % pages.length])).listen(80, '0.0.0.0', () => console.log('ready'));
`;

const setup = `set -e
ip link set lo up
exec 3< <(exec unshare --net node ./server.cjs)
server=$!
trap 'kill "$server"' EXIT
read -r _ <&3
ip link add eth0 type veth peer name peer0 netns "$server"
ip link set eth0 up
ip addr add 10.18.43.50/24 dev eth0
inside() { nsenter -t "$server" -n "$@"; }
inside ip link set lo up
inside ip link set peer0 address 02:00:00:00:00:20 up
inside ip addr add 10.18.43.20/24 dev peer0
inside ip addr add 10.18.43.30/32 dev peer0
`;

/** Runs the probe on the client, under one of the shells of test/support/shells.ts. BusyBox's arping is there as `arping`. */
export function probeSegment(
  probe: Sh,
  [shell, ...options]: readonly [string, ...string[]],
  { pages, client = '', server: more = '' }: Segment,
): Probed {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-segment-'));
  try {
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'server.cjs'), server);
    writeFileSync(
      join(folder, 'probe'),
      `PATH=${folder}:$PATH; export LC_ALL=C\n( eval ${quote(renderSh(probe, (value) => value))} ) </dev/null\n`,
    );
    symlinkSync(spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim(), join(folder, 'arping'));
    const after = `printf '\\nleft\\n'; ip -o -4 addr show dev eth0 | while read -r _ _ _ address _; do printf '%s\\n' "$address"; done`;
    const script = `${setup}${client}\n${more && `inside sh -c ${quote(more)}`}\nset +e\n${[shell, ...options].join(' ')} ./probe\nstatus=$?\n${after}\nexit $status\n`;
    const ran = spawnSync('unshare', ['--user', '--map-root-user', '--net', 'bash', '-c', script], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, PAGES: JSON.stringify(pages) },
    });
    const [stdout = '', left = ''] = ran.stdout.split('\nleft\n');
    return { stdout, stderr: ran.stderr, exit: ran.status ?? -1, left: left.split('\n').filter(Boolean) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

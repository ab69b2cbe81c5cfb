/** Who answers when a host asks its whole segment for an address: with iputils' or BusyBox's arping, Debian's `arping`, or tcpdump. */
import { lines, type Sh, sh } from '../../task.ts';
import { routeTo } from './route.ts';
import type { Said } from './said.ts';

/**
 * Asks for every address at once, for two seconds, by broadcast only: after the first answer arping would otherwise go on by unicast
 * and never hear a second one. No count: with one, iputils stops after so many answers, whoever gave them.
 */
export function arpQuestions(addresses: readonly string[]): Sh {
  return lines(chooseTool, ...addresses.map((address) => lines(routeTo(address), ask(address))), sh`wait`);
}

const chooseTool = sh`tool=none
if command -v arping >/dev/null 2>&1; then
  case $(arping -V 2>&1) in *Habets*) tool=habets ;; *) tool=iputils ;; esac
elif command -v tcpdump >/dev/null 2>&1; then tool=tcpdump; fi
printf 'tool %s\n' "$tool"
answers() { while IFS= read -r line; do printf 'answer %s %s\n' "$1" "$line"; done; }
watch() {
  tcpdump -c 200 -nnel -i "$dev" arp and host "$1" 2>/dev/null & pid=$!
  sleep 1
  ip neigh del "$1" dev "$dev" 2>/dev/null
  ping -c 1 -W 1 "$1" >/dev/null 2>&1 || curl -s --noproxy '*' --max-time 1 -o /dev/null "http://$1/" 2>/dev/null
  sleep 1
  kill "$pid"
}`;

function ask(address: string): Sh {
  return sh`printf 'asked %s %s %s\n' ${address} "\${dev:--}" "\${via:--}"
if [ -n "$dev" ] && [ -z "$via" ]; then
  case $tool in
    iputils) arping -b -w 2 -I "$dev" -- ${address} | answers ${address} & ;;
    habets) arping -w 2 -i "$dev" -- ${address} | answers ${address} & ;;
    tcpdump) watch ${address} | answers ${address} & ;;
  esac
fi`;
}

export interface ArpAnswers {
  /** Why nobody could be asked; otherwise empty. */
  readonly obstacle: '' | 'no-tool' | 'no-route' | 'other-segment' | 'own-address' | 'failed';
  readonly nic: string;
  /** Distinct MACs in small letters, in the order of their first answer. */
  readonly macs: readonly string[];
}

export function arpAnswers(said: Said, address: string): ArpAnswers {
  const [nic = '', via = ''] = (said.all('asked').find((line) => line.startsWith(`${address} `)) ?? '').split(' ').slice(1);
  const answers = said.all('answer').flatMap((line) => (line.startsWith(`${address} `) ? [line.slice(address.length + 1)] : []));
  const macs = [...new Set(answers.flatMap((line) => macOf(line, address) ?? []))];
  return { nic, macs, obstacle: obstacleOf(said.first('tool'), nic, via, answers, macs.length) };
}

function obstacleOf(tool: string | undefined, nic: string, via: string, answers: readonly string[], heard: number): ArpAnswers['obstacle'] {
  if (tool === undefined || tool === 'none') return 'no-tool';
  if (via === 'local') return 'own-address';
  if (nic === '' || nic === '-') return 'no-route';
  if (via !== '-') return 'other-segment';
  const asked = answers.some((line) => /^Sent \d+ probe|^\d+ packets transmitted|Request who-has/.test(line));
  return heard > 0 || asked ? '' : 'failed';
}

const mac = '((?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2})';

/** One line of arping (either kind) or of `tcpdump -e`. */
function macOf(line: string, address: string): string | undefined {
  const from = address.replaceAll('.', '\\.');
  const patterns = [`reply from ${from} \\[${mac}\\]`, `bytes from ${mac} \\(${from}\\)`, `Reply ${from} is-at ${mac}`];
  for (const pattern of patterns) {
    const found = new RegExp(pattern, 'i').exec(line)?.[1];
    if (found)
      return found
        .toLowerCase()
        .split(':')
        .map((part) => part.padStart(2, '0'))
        .join(':');
  }
  return undefined;
}

/** Text of units that run a command at times, quoted as systemd reads it (systemd.service(5), systemd.syntax(7)). */

export interface Job {
  readonly name: string;
  /** As sh reads it. */
  readonly command: string;
  readonly user: string;
}

/** OnCalendar expressions, or a time span after which it runs again. */
export interface Times {
  readonly calendar: readonly string[];
  readonly every: string | undefined;
  /** Runs at once what was missed while the host was down. */
  readonly persistent: boolean;
  readonly randomDelay: string | undefined;
}

export const mark = '# Written by lvsctl: changes are overwritten';

export function serviceText({ name, command, user }: Job): string {
  return `${mark}
[Unit]
Description=${name}

[Service]
Type=oneshot
User=${user}
ExecStart=/bin/sh -c -- ${quoteWord(command)}
`;
}

export function timerText({ name }: Pick<Job, 'name'>, { calendar, every, persistent, randomDelay }: Times): string {
  const times = every === undefined ? calendar.map((time) => `OnCalendar=${time}`) : [`OnBootSec=${every}`, `OnUnitActiveSec=${every}`];
  return `${mark}
[Unit]
Description=When ${name} runs

[Timer]
${times.join('\n')}
${persistent ? 'Persistent=true\n' : ''}${randomDelay === undefined ? '' : `RandomizedDelaySec=${randomDelay}\n`}
[Install]
WantedBy=timers.target
`;
}

/** One word of ExecStart: without this, systemd would take `%` and `$` for its own, and split at blanks. */
export function quoteWord(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, '\\$&')
    .replace(/%/g, '%%')
    .replace(/\$/g, '$$$$')
    .replace(/\p{Cc}/gu, escapeControl);
  return `"${escaped}"`;
}

/** Those beyond ASCII stay: as single bytes they would be no valid text. */
function escapeControl(character: string): string {
  const code = character.charCodeAt(0);
  return code < 128 ? `\\x${code.toString(16).padStart(2, '0')}` : character;
}

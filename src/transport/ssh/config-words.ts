/** Values of an ssh_config: numbers, times, paths with their tokens. All throw LvsError `ssh.config` with file and line. */
import { homedir } from 'node:os';
import { type ConfigLine, configError } from './config.ts';

export function wholeIn(line: ConfigLine | undefined, least: number, most: number): number | undefined {
  if (!line) return undefined;
  const [word = ''] = line.values;
  const number = Number(word);
  if (/^\d+$/.test(word) && number >= least && number <= most) return number;
  throw configError(`${line.keyword} is "${word}"`, line, `allowed: a whole number from ${least} to ${most}`);
}

const units: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `90`, `1m30s` (sshd_config(5), "TIME FORMATS") in seconds; absent for `none` and 0. */
export function secondsIn(line: ConfigLine | undefined): number | undefined {
  const word = line?.values[0]?.toLowerCase() ?? 'none';
  if (!line || word === 'none') return undefined;
  if (!/^(?:\d{1,9}[smhdw]?)+$/.test(word)) throw configError(`${line.keyword} is "${word}"`, line, 'allowed: a time, such as 30 or 1m30s');
  const seconds = [...word.matchAll(/(\d+)([smhdw]?)/g)].reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 1), 0);
  return seconds === 0 ? undefined : seconds;
}

/** What `%h` and its like stand for; `%%` is a percent sign. */
export type Tokens = Readonly<Record<string, string>>;

/** Tokens, `~/` and variables of the environment, as ssh expands them in paths and names. */
export function expandTokens(line: ConfigLine, text: string, tokens: Tokens): string {
  return text
    .replace(/^~(?=\/|$)/, homedir())
    .replace(/%(.?)|\$\{(\w+)\}/g, (whole, token: string | undefined, variable: string | undefined) => {
      const value = token === '%' ? '%' : token !== undefined ? tokens[token] : process.env[variable ?? ''];
      if (value !== undefined) return value;
      throw configError(
        `"${whole}" in ${line.keyword} means nothing here`,
        line,
        `allowed: %% ${Object.keys(tokens)
          .map((key) => `%${key}`)
          .join(' ')}`,
      );
    });
}

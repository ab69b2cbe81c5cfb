/** Judges what the shadow shell saw: did every hostile value stay one word, and did a probe only look? */
import type { Fragment } from './fragments.ts';
import { token } from './hostile.ts';
import type { Call, ShadowShell } from './shadow-shell.ts';

/** What went wrong when the fragments, full of `hostile`, were run; empty when every value stayed one word. */
export function leaks(shadow: ShadowShell, fragments: readonly Fragment[], hostile: string): readonly string[] {
  const inText = fragments.filter(({ sh }) => sh.parts.some((part) => 'text' in part && part.text.includes(token)));
  const run = shadow.run(fragments);
  return [
    ...inText.map(({ name }) => `${name}: a value became part of the author's own text`),
    ...(run.canary ? ['the canary ran'] : []),
    ...(run.ended ? [] : ['the shell had to be stopped, or a fragment ended it']),
    ...run.calls.flatMap(({ fragment, call }) => [...torn(fragment, call), ...asOption(fragment, call, hostile)]),
  ];
}

/** Words that hold a piece of a hostile value without the whole of it. */
function torn({ name, sh }: Fragment, call: Call): readonly string[] {
  const values = sh.parts.flatMap((part) => ('value' in part && part.value.includes(token) ? [part.value] : []));
  const bad = call.filter((word) => word.includes(token) && !values.some((value) => word.includes(value)));
  return bad.map((word) => `${name}: torn word ${JSON.stringify(word)} in ${JSON.stringify(call)}`);
}

/** A whole value with a leading dash that a program would take for an option. printf takes options only as its first word. */
function asOption({ name }: Fragment, call: Call, hostile: string): readonly string[] {
  const place = call.indexOf(hostile);
  if (!hostile.startsWith('-') || place < 1 || call.slice(1, place).includes('--')) return [];
  if (call[0] === 'printf' && place > 1) return [];
  return [`${name}: ${JSON.stringify(call)} takes a value for an option; put "--" before it`];
}

const programsThatChange =
  /^(rm|rmdir|mv|cp|ln|mkdir|touch|tee|dd|install|truncate|chown|chmod|chcon|restorecon|setenforce|setsebool|useradd|usermod|userdel|groupadd|groupdel|kill|reboot)$/;
const programsWithVerbs = /^(systemctl|sysctl|ip|ipvsadm|dnf|firewall-cmd)$/;
const verbsThatChange =
  /^(start|stop|restart|reload|enable|disable|daemon-reload|mask|unmask|-w|--write|--system|--load|add|del|delete|replace|change|flush|install|remove|-[ADEC]|--(add|remove|set)-.*)$/;

/** True for a call that could change a host. */
export function isMutating([program = '', ...words]: Call): boolean {
  if (program === 'nft') return !words.some((word) => word === 'list' || word === '-c');
  if (/^ip6?tables(-legacy|-nft)?$/.test(program)) return !words.includes('-V');
  if (programsThatChange.test(program)) return true;
  if (program === 'apt-get') return !words.includes('indextargets');
  if (program === 'semanage') return !words.includes('-l');
  if (program === 'modprobe') return !words.includes('-n');
  return programsWithVerbs.test(program) && words.slice(0, 4).some((word) => verbsThatChange.test(word));
}

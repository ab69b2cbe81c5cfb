/** keepalived runs, will run after a reboot, and would start with the configuration that lies on disk, which is the one it runs with. */
import { z } from 'zod';
import { defineCheck, type Finding, type Host, type Look } from '../task.ts';
import { parseUnit, unitProbe } from '../tasks/support/systemd/unit.ts';
import { excerpt, fail, nobodyLooked, notRun, pass, toolMissing, unreadable } from './support/finding.ts';
import { configProbe } from './support/keepalived-config.ts';
import { heard, type Said, telling } from './support/said.ts';
import { judgeUnit } from './support/unit.ts';

export default defineCheck({
  summary: "Each director's keepalived is active and enabled, and its configuration is valid and loaded.",
  params: z.strictObject({}),
  from: ['director'],
  probe: (_, __, { vrrp }) => (vrrp ? telling(unitProbe('keepalived.service'), configProbe) : undefined),
  expect: (looks, _, { fleet }) => {
    const expected = 'keepalived active, enabled, its configuration valid and loaded';
    if (!fleet.vrrp) return [];
    return looks.length === 0 ? [nobodyLooked('director', fleet, expected)] : looks.flatMap((look) => judgeHost(look, expected));
  },
  example: {},
});

function judgeHost(look: Look, expected: string): readonly Finding[] {
  const said = heard(look);
  const config = said?.first('config');
  if (!said || config === undefined) return [unreadable(look, expected)];
  const units = judgeUnit(look.host.name, 'keepalived', parseUnit(look.output));
  const loaded = judgeLoaded(look.host, said, config);
  return [...units, judgeValid(look.host, said, config), ...(loaded ? [loaded] : [])];
}

/** `keepalived -t` says 0 of a file that is missing, empty, a directory or executable, because it skips it. */
function judgeValid(host: Host, said: Said, config: string): Finding {
  const { name } = host;
  const expected = `keepalived -t accepts ${config}`;
  const kind = said.first('kind');
  if (kind !== 'file') {
    const fix = kind === 'executable' ? `chmod a-x ${config} on ${name}: keepalived skips executable files` : 'lvsctl deploy writes it';
    return fail(
      name,
      `${config} is ${kind === 'missing' || kind === 'empty' || kind === 'executable' ? kind : 'not a file'}`,
      expected,
      fix,
    );
  }
  const exit = said.first('tested');
  if (exit === 'not-installed') return toolMissing(host, 'keepalived', 'keepalived', expected);
  if (exit === 'too-old')
    return notRun(name, 'this keepalived cannot test a configuration (2.0.4 and later can)', expected, `a newer keepalived on ${name}`);
  if (exit === '0') return pass(name, `keepalived -t accepts ${config}`, expected);
  const complaint = excerpt(said.all('test').find((line) => /\S/.test(line)) ?? 'it says nothing', 120);
  return fail(
    name,
    `keepalived -t ends with ${exit ?? 'nothing'}: ${complaint}`,
    expected,
    `mend that line; see all with: keepalived -t -f ${config} on ${name}`,
  );
}

/** `undefined` when no keepalived runs: that is a finding already. */
function judgeLoaded(host: Host, said: Said, config: string): Finding | undefined {
  const { name } = host;
  const expected = 'the running keepalived has read the configuration that is there';
  const state = said.first('state');
  if (state === undefined || state === 'none') return undefined;
  if (state === 'unknown') {
    return notRun(name, 'keepalived left no pid file to compare with', expected, `systemctl reload keepalived on ${name}, to be sure`);
  }
  const reload = Number(said.all('reload').at(-1) ?? 0);
  const newer = said.all('newer').find((line) => !(Number(line.split(' ', 1)[0]) <= reload));
  if (newer === undefined) return pass(name, `keepalived has loaded ${config}`, expected);
  const file = newer.slice(newer.indexOf(' ') + 1);
  return fail(
    name,
    `${file} was changed after keepalived had read it`,
    expected,
    `systemctl reload keepalived on ${name}, once keepalived -t accepts it`,
  );
}

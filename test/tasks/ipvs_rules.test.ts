import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderSh, type Sh } from '../../src/sh/sh.ts';
import ipvsRules from '../../src/tasks/ipvs_rules.ts';
import {
  parseRules,
  parseThresholds,
  rulesText,
  type VirtualServer,
  wantedRules,
  withThresholds,
} from '../../src/tasks/support/ipvs/rules.ts';
import { exampleService } from '../../src/tasks/support/keepalived/params.ts';
import { goldenCases, outputOf } from '../support/golden.ts';
import { planContext } from '../support/plan-context.ts';

type Service = VirtualServer;
const { persistence: _persistence, ...withoutPersistence } = exampleService;

/** wlc over two real servers of different weight, and a sorry server. */
const example: Service = {
  ...withoutPersistence,
  scheduler: 'wlc',
  realServers: [
    { host: 'web1', rip: '10.18.43.13', port: 80, weight: 2 },
    { host: 'web2', rip: '10.18.43.14', port: 80, weight: 1 },
  ],
  sorryServer: { address: '127.0.0.1', port: 80 },
};

const web: Service = example;
const dns: Service = { ...web, port: 53, protocol: 'udp', forward: 'nat', onePacket: true, scheduler: 'rr' };
const six: Service = {
  ...web,
  vip: 'fd79::30',
  forward: 'tun',
  persistence: 30,
  persistenceGranularity: '64',
  realServers: [{ host: 'web1', rip: 'fd79:0:0:0::13', port: 80, weight: 1 }],
};
const marked: Service = {
  ...web,
  fwmark: { mark: 7, ports: [80, 443].map((port) => ({ port, protocol: 'tcp' as const })) },
  scheduler: 'sh',
  schedulerFlags: ['sh-port', 'sh-fallback'],
};
const limited: Service = {
  ...web,
  realServers: [{ host: 'web1', rip: '10.18.43.13', port: 80, weight: 2, upperThreshold: 100, lowerThreshold: 50 }],
};
const rules = (...services: readonly Service[]) => wantedRules(services);

/** A settled host as it was recorded, with other rows, or another view of the health checks. */
const [settled = ''] = goldenCases()
  .filter(({ task, name }) => task === 'ipvs_rules' && name === 'settled')
  .map(({ golden }) => outputOf(golden).stdout);
const want = ipvsRules.params.parse({ services: [example] });
const table = [
  'rule -A -t 10.18.43.30:80 -s wlc',
  'rule -a -t 10.18.43.30:80 -r 10.18.43.13:80 -g -w 2',
  'rule -a -t 10.18.43.30:80 -r 10.18.43.14:80 -g -w 1',
];
const host = (lines: readonly string[], stdout = settled) => ({
  stdout: stdout.replace(/^(rule|view|threshold) .*\n/gm, '').replace('\nunits\n', `\n${lines.join('\n')}\n\nunits\n`),
  stderr: '',
  exit: 0,
});
const plan = (lines: readonly string[], params = want, stdout = settled) =>
  ipvsRules.plan(ipvsRules.parse(host(lines, stdout), params), params, planContext({ host: 'dr1' }));
const ids = (lines: readonly string[], params = want) => plan(lines, params).map(({ id }) => id);

describe('the language of ipvsadm', () => {
  test('has one line for each virtual and each real server', () => {
    expect(rulesText(rules(web, dns, six, marked, limited)).split('\n')).toEqual([
      '-A -t 10.18.43.30:80 -s wlc',
      '-a -t 10.18.43.30:80 -r 10.18.43.13:80 -g -w 2',
      '-a -t 10.18.43.30:80 -r 10.18.43.14:80 -g -w 1',
      '-A -u 10.18.43.30:53 -s rr -o',
      '-a -u 10.18.43.30:53 -r 10.18.43.13:80 -m -w 2',
      '-a -u 10.18.43.30:53 -r 10.18.43.14:80 -m -w 1',
      '-A -t [fd79::30]:80 -s wlc -p 30 -M 64',
      '-a -t [fd79::30]:80 -r [fd79::13]:80 -i -w 1',
      '-A -f 7 -s sh -b sh-fallback,sh-port',
      '-a -f 7 -r 10.18.43.13:0 -g -w 2',
      '-a -f 7 -r 10.18.43.14:0 -g -w 1',
      '-A -t 10.18.43.30:80 -s wlc',
      '-a -t 10.18.43.30:80 -r 10.18.43.13:80 -g -w 2 -x 100 -y 50',
      '',
    ]);
  });

  test('is read as it is written, whatever its order', () => {
    const all = rules(web, dns, six, marked);
    expect(parseRules(rulesText(all).split('\n'))).toEqual(all);
    // As ipvsadm 1.31 says it on Linux 6.1.
    expect(
      parseRules([
        '-A -t [fd79::30]:80 -p 30 -M 64 -s wlc',
        '-a -t [fd79::30]:80 -r [fd79::13]:80 -i -w 1 --tun-type ipip',
        '-A -f 7 -s sh -b sh-port,sh-fallback',
      ]),
    ).toEqual([...rules(six), { place: ['-f', '7'], options: ['-s', 'sh', '-b', 'sh-fallback,sh-port'], rows: [] }]);
  });

  test('thresholds, which ipvsadm does not save, are looked up', () => {
    const said = [
      'TCP  10.18.43.30:80 wlc persistent 50 mask 255.255.255.0',
      '  -> 10.18.43.13:80              100        50         0          0         ',
    ];
    const saved = parseRules(['-A -t 10.18.43.30:80 -s wlc', '-a -t 10.18.43.30:80 -r 10.18.43.13:80 -g -w 2']);
    expect(withThresholds(saved, parseThresholds(said))).toEqual(rules(limited));
  });
});

describe('row by row', () => {
  test('what somebody changed, deleted or added by hand is one change each', () => {
    expect(ids(table)).toEqual([]);
    expect(ids(table.slice(0, 2))).toEqual(['add:10.18.43.30:80>10.18.43.14:80']);
    expect(ids(table.map((line) => line.replace('-w 2', '-w 7')))).toEqual(['edit:10.18.43.30:80>10.18.43.13:80']);
    expect(ids(table.map((line) => line.replace('-s wlc', '-s rr')))).toEqual(['service:10.18.43.30:80']);
    expect(ids([...table, 'rule -a -t 10.18.43.30:80 -r 10.18.43.99:80 -g -w 1'])).toEqual(['remove:10.18.43.30:80>10.18.43.99:80']);
    expect(ids([])).toHaveLength(3);
  });

  test('nothing empties the table, and nothing that stays is taken away', () => {
    const everything = plan(table.map((line) => line.replace('-s wlc', '-s rr').replace('-w 2', '-w 7'))).map(({ run }) =>
      renderSh(run, String),
    );
    expect(everything.join('\n')).not.toMatch(/ipvsadm -[CDd]/);
  });

  test('virtual servers of others stay, and are named', () => {
    const foreign = [...table, 'rule -A -t 10.18.43.31:80 -s rr', 'rule -a -t 10.18.43.31:80 -r 10.18.43.99:80 -g -w 1'];
    expect(ids(foreign)).toEqual([]);
    expect(ipvsRules.settled(want, ipvsRules.parse(host(foreign), want))).toContain(
      'left alone, as nothing here put it there: 10.18.43.31:80',
    );
  });

  test('a virtual server that an earlier run put there goes before the file that tells so', () => {
    const moved = ipvsRules.params.parse({ services: [{ ...web, vip: '10.18.43.31' }] });
    const changes = plan(table, moved);
    expect(changes.map(({ id }) => id).slice(-2)).toEqual(['stale:10.18.43.30:80', 'content:/etc/lvsctl/ipvs.rules']);
    expect(changes.slice(-2).every(({ takesAway }) => takesAway)).toBe(true);
  });
});

describe('health checks', () => {
  const view = (...rows: readonly string[]) => ['view pid 123 0123456789abcdef steady', ...rows.map((row) => `view ${row}`)];
  const dead = 'real out -t 10.18.43.30:80 10.18.43.14:80';

  test('what they took out is right to be missing, and wrong to be there', () => {
    expect(ids([...table.slice(0, 2), ...view(dead)])).toEqual([]);
    expect(ids([...table, ...view(dead)])).toEqual(['remove:10.18.43.30:80>10.18.43.14:80']);
    expect(ipvsRules.settled(want, ipvsRules.parse(host([...table.slice(0, 2), ...view(dead)]), want))).toContain(
      'out by health check: 10.18.43.14:80',
    );
  });

  test('where none runs, every row is wanted', () => {
    expect(ids(table.slice(0, 2))).toEqual(['add:10.18.43.30:80>10.18.43.14:80']);
  });

  test('the sorry server is a row while they say so', () => {
    const sorry = 'rule -a -t 10.18.43.30:80 -r 127.0.0.1:80 -g -w 1';
    const all = view('real out -t 10.18.43.30:80 10.18.43.13:80', dead, 'sorry in -t 10.18.43.30:80 127.0.0.1:80');
    expect(ids([...table.slice(0, 1), sorry, ...all])).toEqual([]);
    expect(ids([...table, sorry, ...view('sorry out -t 10.18.43.30:80 127.0.0.1:80')])).toEqual(['remove:10.18.43.30:80>127.0.0.1:80']);
  });
});

describe('others at work on the table', () => {
  const shows = (index: number, words: string) => {
    const [before = '', units = ''] = settled.split('\nunits\n');
    const blocks = units.trim().split('\n\n');
    blocks[index] = words;
    return `${before}\nunits\n${blocks.join('\n\n')}\n`;
  };

  test('keepalived and ldirectord are refused, running or enabled', () => {
    for (const [index, name] of ['keepalived.service', 'ldirectord.service'].entries()) {
      for (const state of ['ActiveState=active\nUnitFileState=disabled', 'ActiveState=inactive\nUnitFileState=enabled']) {
        expect(() => plan(table, want, shows(index, `LoadState=loaded\n${state}`))).toThrow(name);
      }
    }
  });

  test('what empties the table at boot is turned off, and not stopped: its stop empties the table, too', () => {
    const [change, ...more] = plan(table, want, shows(2, 'LoadState=loaded\nActiveState=active\nUnitFileState=enabled'));
    expect(more).toEqual([]);
    expect(change?.id).toBe('conflict:ipvsadm.service');
    expect(renderSh(change?.run ?? { parts: [] }, String)).not.toMatch(/--now|stop/);
    expect(ids([...table, 'auto'])).toEqual(['conflict:/etc/default/ipvsadm']);
  });

  test('that is put back by a teardown, again without a stop or a start, and not where the package has gone', () => {
    const [before] = ipvsRules.before?.(want) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'lvsctl-boot-'));
    const run = (script: Sh | undefined, state: string) =>
      spawnSync('sh', ['-c', `systemctl() { echo "$*" >>calls; echo ${state}; }\n${renderSh(script ?? { parts: [] }, String)}`], {
        cwd: folder,
      });
    const differs = (was: string, is: string): boolean => {
      run(before?.record, was);
      return run(before?.differs, is).status === 0;
    };
    expect(differs('disabled', 'disabled')).toBe(false);
    expect(differs('enabled', 'enabled')).toBe(false);
    expect(differs('enabled', 'not-found')).toBe(false);
    expect(differs('enabled', 'disabled')).toBe(true);
    rmSync(join(folder, 'calls'));
    run(before?.restore, '');
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe('-q enable -- ipvsadm.service\n');
    rmSync(folder, { recursive: true });
  });
});

test("the line of ipvsadm's own script is put back, in its place, where the file is still there", () => {
  const before = ipvsRules.before?.(want).find(({ resource }) => resource === 'start:by /etc/default/ipvsadm');
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-auto-'));
  const file = join(folder, 'default');
  const run = (script: Sh | undefined): boolean => {
    const text = renderSh(script ?? { parts: [] }, String).replaceAll('/etc/default/ipvsadm', file);
    return spawnSync('dash', ['-c', text], { cwd: folder }).status === 0;
  };
  const text = (auto: string): string => `# ipvsadm\n${auto}\nDAEMON="none" # x\n`;
  writeFileSync(file, text('AUTO="true" # it & that'));
  expect(run(before?.record)).toBe(true);
  expect(run(before?.differs)).toBe(false);
  writeFileSync(file, text('AUTO="false"'));
  expect(run(before?.differs)).toBe(true);
  expect(run(before?.restore)).toBe(true);
  expect(readFileSync(file, 'utf8')).toBe(text('AUTO="true" # it & that'));
  expect(run(before?.differs)).toBe(false);
  rmSync(file);
  expect(run(before?.differs)).toBe(false);
  // Where it was off, nothing is to be put back, whatever comes later.
  writeFileSync(file, text('AUTO="false"'));
  expect(run(before?.record)).toBe(true);
  writeFileSync(file, text('AUTO="true"'));
  expect(run(before?.differs)).toBe(false);
  rmSync(folder, { recursive: true });
});

describe('the unit', () => {
  const bare = ipvsRules.plan(ipvsRules.parse({ stdout: '', stderr: '', exit: 0 }, want), want, planContext({ host: 'dr1' }));
  const unit = bare.find(({ id }) => id === 'content:/etc/systemd/system/lvsctl-ipvs.service')?.will ?? '';

  /** What the commands of the unit hand to ipvsadm, with these rules on disk. */
  function handed(key: string, text: string): readonly string[] {
    const folder = mkdtempSync(join(tmpdir(), 'lvsctl-rules-'));
    writeFileSync(join(folder, 'rules'), text);
    // As systemd reads a quoted word.
    const commands = [...unit.matchAll(new RegExp(`^${key}=-?/bin/sh -c "(.*)"$`, 'gm'))].map(([, word = '']) =>
      word.replace(/\\(.)/g, '$1').replaceAll('$$', '$'),
    );
    const said = commands.map((command) =>
      execFileSync('sh', ['-c', command.replaceAll('/etc/lvsctl/ipvs.rules', join(folder, 'rules')).replaceAll('ipvsadm -R', 'cat')], {
        encoding: 'utf8',
      }),
    );
    rmSync(folder, { recursive: true });
    return said;
  }

  test('adds what is not there and sets what is: nothing is taken away and put back', () => {
    const text = rulesText(rules(web, marked));
    expect(handed('ExecStart', text)).toEqual([text, text.replace(/^-A/gm, '-E').replace(/^-a/gm, '-e')]);
  });

  test('takes away what the rules name, and nothing else, when it is stopped', () => {
    expect(handed('ExecStop', rulesText(rules(web, six, dns, marked)))).toEqual([
      '-D -t 10.18.43.30:80\n-D -t [fd79::30]:80\n-D -u 10.18.43.30:53\n-D -f 7\n',
    ]);
  });
});

/**
 * The kernel's table of virtual servers on a director without keepalived: set row by row, and restored at boot by a unit of ours. The
 * distributions' own services are no help: both empty the whole table when they start (`ipvsadm -C`), and what `ipvsadm -S` saves lacks
 * thresholds.
 */
import { z } from 'zod';
import { type Before, type Change, defineTask, lines, type Output, type PlanContext, refuse, sh } from '../task.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { type RulesWant, ruleChanges, strangers } from './support/ipvs/rule-changes.ts';
import { autoPath, rulesPath } from './support/ipvs/rule-files.ts';
import { nameOf, parseRules, placeOf, rowOptions, rulesText, serverOf, wantedRules } from './support/ipvs/rules.ts';
import { type IpvsView, parseView, viewProbe } from './support/ipvs/view.ts';
import { virtualServer } from './support/ipvs/virtual-server-params.ts';
import { exampleService } from './support/keepalived/params.ts';
import {
  type BootUnit,
  bootUnitChanges,
  bootUnitPath,
  bootUnitProbe,
  parseBootUnit,
  type SeenBootUnit,
  unitCommand,
} from './support/systemd/boot-unit.ts';
import { parseUnits, type ShownUnit, showUnits } from './support/systemd/show-units.ts';

const params = z.strictObject({
  services: z
    .array(virtualServer)
    .min(1)
    .refine((all) => new Set(all.map((each) => placeOf(each).join(' '))).size === all.length, 'a virtual server is listed twice')
    .describe('The virtual servers, each with its real servers.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly file: SeenFile;
  readonly unit: SeenBootUnit;
  readonly view: IpvsView;
  /** Debian's script empties and fills the table at boot (AUTO="true"). */
  readonly auto: boolean;
  readonly others: readonly ShownUnit[];
}

const managers = ['keepalived.service', 'ldirectord.service'];
const others = [...managers, 'ipvsadm.service'];

/** What is there is edited, what is not is added: no row is ever taken away and put back. A stop takes away what the rules name. */
const restoreUnit: BootUnit = {
  name: 'lvsctl-ipvs.service',
  description: 'Virtual servers of the LVS cluster',
  after: ['systemd-modules-load.service', 'systemd-sysctl.service', 'local-fs.target'],
  before: ['network.target'],
  start: [
    unitCommand(sh`ipvsadm -R <${rulesPath} 2>/dev/null`),
    unitCommand(sh`sed 's/^-A /-E /; s/^-a /-e /' ${rulesPath} | ipvsadm -R`).slice(1),
  ],
  stop: [unitCommand(sh`sed -n 's/^-A \\(.*\\) -s .*/-D \\1/p' ${rulesPath} | ipvsadm -R`)],
};

/** Of the distribution's own service nothing but this: to put all of it back would be to start it again, which empties the table. */
const startAtBoot: Before = {
  resource: 'start:at boot of ipvsadm.service',
  record: sh`systemctl is-enabled -- ipvsadm.service >./value 2>/dev/null || :`,
  differs: sh`[ "$(cat ./value)" = enabled ] && [ "$(systemctl is-enabled -- ipvsadm.service 2>/dev/null)" = disabled ]`,
  restore: sh`systemctl -q enable -- ipvsadm.service`,
};

/** The line alone: the file may have come with the package, and goes with it. */
const switchAtBoot: Before = {
  resource: `start:by ${autoPath}`,
  record: sh`grep -E '^[[:space:]]*AUTO="?true' ${autoPath} >./value 2>/dev/null || :`,
  differs: sh`[ -s ./value ] && [ -e ${autoPath} ] && ! grep -qxF -f ./value ${autoPath}`,
  restore: sh`read -r line <./value && line=$line awk '/^[[:space:]]*AUTO=/ { print ENVIRON["line"]; next } { print }' ${autoPath} >./new && cat ./new >${autoPath}`,
};

export default defineTask<Want, Seen>({
  summary: "A director without keepalived: the kernel's virtual and real servers, now and at every boot, by ipvsadm.",
  params,
  touches: ({ services }) => [
    ...services.map((service) => `ipvs:${nameOf(placeOf(service))}`),
    `file:${rulesPath}`,
    `file:${bootUnitPath(restoreUnit.name)}`,
    `service:${restoreUnit.name}`,
  ],
  before: () => [startAtBoot, switchAtBoot],
  needs: () => ['package:ipvsadm', 'module:ip_vs'],
  probe: () =>
    lines(
      filesProbe([rulesPath]),
      bootUnitProbe(restoreUnit.name),
      viewProbe,
      sh`! grep -Eqs '^[[:space:]]*AUTO="?true' ${autoPath} || printf 'auto\n'`,
      sh`printf '\nunits\n'`,
      showUnits(others),
    ),
  parse,
  plan(seen, want, context) {
    seen.others.forEach((unit, index) => {
      refuseOther(unit, others[index] ?? '');
    });
    const wanted = rulesOf(want, seen);
    const live = ruleChanges(wanted, seen.view);
    const persisted = [...conflicts(seen), ...fileChanges(seen, wanted, context), ...bootUnitChanges(seen.unit, restoreUnit, context)];
    // The old file is what tells that a row is ours: it stays until the row is gone.
    const last = live.some(({ takesAway }) => takesAway) && { takesAway: true };
    return [...live, ...persisted.map((change) => ({ ...change, ...last }))];
  },
  settled(want, seen) {
    const out = [...(seen.view.checks?.out ?? [])].map((name) => name.slice(name.lastIndexOf(' ') + 1));
    const left = strangers(rulesOf(want, seen), seen.view);
    return [
      `the kernel has ${want.services.map((service) => nameOf(placeOf(service))).join(', ')} as wanted, now and after a reboot`,
      ...(out.length > 0 ? [`out by health check: ${[...new Set(out)].join(', ')}`] : []),
      ...(left.length > 0 ? [`left alone, as nothing here put it there: ${left.join(', ')}`] : []),
    ].join('; ');
  },
  example: { services: [exampleService] },
});

function parse(output: Output): Seen {
  const { files, rest } = parseFiles(output, [rulesPath]);
  const { file, unit, rest: after } = parseBootUnit(rest, restoreUnit.name);
  const [said = '', units = ''] = after.split('\nunits\n');
  const told = said.split('\n');
  return {
    file: files[0] as SeenFile,
    unit: { file, unit },
    view: parseView(told),
    auto: told.includes('auto'),
    others: parseUnits(units, others),
  };
}

function rulesOf({ services }: Want, { file }: Seen): RulesWant {
  const sorry = services.flatMap((service) => {
    const { sorryServer } = service;
    if (!sorryServer) return [];
    const server = serverOf(service, { rip: sorryServer.address, port: sorryServer.port });
    return [[`${placeOf(service).join(' ')} ${server}`, rowOptions(service, { weight: 1 })] as const];
  });
  return { rules: wantedRules(services), earlier: parseRules((file.content ?? '').split('\n')), sorry: new Map(sorry) };
}

function refuseOther({ active, enabled }: ShownUnit, name: string): void {
  if (!managers.includes(name) || !(active || enabled)) return;
  throw refuse(
    `${name} ${active ? 'runs' : 'starts with the host'}, and fills the table of virtual servers itself`,
    `systemctl disable --now ${name}, or say vrrp in the inventory instead of static`,
  );
}

/** What would empty the table at boot. It is not stopped: its stop empties the table, too. */
function conflicts({ auto, others: shown }: Seen): readonly Change[] {
  const script: Change = {
    id: `conflict:${autoPath}`,
    title: `keep ipvsadm's own script from emptying the table at boot (${autoPath})`,
    was: 'AUTO="true"\n',
    will: 'AUTO="false"\n',
    run: sh`sed -i 's/^[[:space:]]*AUTO="\\{0,1\\}true.*/AUTO="false"/' ${autoPath}`,
  };
  const unit: Change = {
    id: 'conflict:ipvsadm.service',
    title: 'keep ipvsadm.service from emptying the table at boot (disable it)',
    was: 'enabled\n',
    will: 'disabled\n',
    run: sh`systemctl -q disable -- ipvsadm.service`,
  };
  return [...(auto ? [script] : []), ...(shown[others.indexOf('ipvsadm.service')]?.enabled ? [unit] : [])];
}

function fileChanges({ file }: Seen, { rules }: RulesWant, context: PlanContext): readonly Change[] {
  return fileChange({ seen: file, path: rulesPath, content: rulesText(rules), makeParent: true, context });
}

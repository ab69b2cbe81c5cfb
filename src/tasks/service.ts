import { z } from 'zod';
import { type Change, defineTask, type Handler, lines, refuse, sh } from '../task.ts';
import { bringUp, needSystemd, parseUnit, type SeenUnit, unitName, unitOf, unitProbe } from './support/systemd/unit.ts';

const params = z.strictObject({
  name: unitName.describe('Name of the unit; without an ending it is a service.'),
  state: z.enum(['started', 'stopped']).default('started').describe('Whether it runs now.'),
  enabled: z.boolean().default(true).describe('Whether it starts with the host.'),
});

type Want = z.infer<typeof params>;

const handlerParams = z.strictObject({
  name: unitName.describe('Name of the unit; without an ending it is a service.'),
  state: z.enum(['restarted', 'reloaded']).describe('Prefer reloaded: it keeps connections.'),
});

export default defineTask<Want, SeenUnit>({
  summary:
    'A service of the host: whether it runs now, and whether it starts with the host. Offers the handlers `restart NAME` and `reload NAME`.',
  params,
  touches: (want) => [`service:${unitOf(want.name)}`],
  needs: (want) => [`unit:${unitOf(want.name)}`],
  probe: (want) => unitProbe(unitOf(want.name)),
  parse: (output) => parseUnit(output),
  plan: (seen, want, { facts }) => {
    needSystemd(facts, 'the task service');
    refuseImpossible(seen, want);
    return [...enablement(seen, want), ...activity(seen, want)];
  },
  settled: (want) =>
    `${unitOf(want.name)} is ${want.state === 'started' ? 'running' : 'stopped'} and ${want.enabled ? 'starts' : 'does not start'} with the host`,
  handlers: (want) => ({ [`restart ${want.name}`]: restart(want), [`reload ${want.name}`]: reload(want) }),
  asHandler: {
    params: handlerParams,
    make: ({ name, state }: z.infer<typeof handlerParams>) => {
      const want: Want = { name, state: 'started', enabled: true };
      return state === 'restarted' ? restart(want) : reload(want);
    },
  },
  example: { name: 'keepalived', state: 'started', enabled: true },
});

function refuseImpossible(seen: SeenUnit, want: Want): void {
  const unit = unitOf(want.name);
  if ((seen.load === 'masked' || seen.file.startsWith('masked')) && (want.state === 'started' || want.enabled)) {
    throw refuse(`${unit} is masked: somebody has decided that it must not run`, `systemctl unmask ${unit}, if that is no longer so`);
  }
  if (want.enabled && (seen.file === 'static' || seen.file === 'indirect')) {
    throw refuse(
      `${unit} does not say in [Install] what would start it, so it cannot be enabled`,
      'write "enabled: false": something else pulls it in',
    );
  }
}

/** `enabled-runtime` does not outlive a boot; `generated` stands for a script in /etc/init.d, which stays that way. */
function enablement(seen: SeenUnit, want: Want): readonly Change[] {
  const unit = unitOf(want.name);
  const runtime = seen.file === 'enabled-runtime';
  const enabled = seen.file === 'enabled' || seen.file === 'generated';
  const off = !runtime && seen.file !== 'enabled';
  if (want.enabled ? enabled : off) return [];
  const verb = want.enabled ? 'enable' : 'disable';
  const scope = runtime && !want.enabled ? sh` --runtime` : sh``;
  return [
    {
      id: `${verb}:${unit}`,
      title: `${verb} ${unit}`,
      was: `${seen.file || 'no unit file yet'}\n`,
      will: `${verb}d\n`,
      run: sh`systemctl ${verb}${scope} -- ${unit}`,
    },
  ];
}

/** A unit that only just activates is not running yet: `start` waits for it. */
function activity(seen: SeenUnit, want: Want): readonly Change[] {
  const unit = unitOf(want.name);
  const running = seen.active === 'active' || seen.active === 'reloading';
  const idle = seen.active === 'inactive' || seen.active === 'failed' || seen.active === '';
  if (want.state === 'started' ? running : idle) return [];
  const was = `${seen.active || 'not there yet'}\n`;
  if (want.state === 'started') {
    return [{ id: `start:${unit}`, title: `start ${unit}`, was, will: 'active\n', run: bringUp('start', unit), timeout: 180 }];
  }
  const run = sh`systemctl stop -- ${unit}`;
  return [{ id: `stop:${unit}`, title: `stop ${unit}`, was, will: 'inactive\n', run, timeout: 180, risk: 'restart' }];
}

/** A service that is to be stopped stays stopped, whatever notifies its handlers. */
function restart(want: Want): Handler {
  const unit = unitOf(want.name);
  const run = want.state === 'started' ? bringUp('restart', unit) : sh`systemctl try-restart -- ${unit}`;
  return { run, timeout: 180, risk: 'restart' };
}

function reload(want: Want): Handler {
  const unit = unitOf(want.name);
  if (want.state === 'stopped') return { run: sh`! systemctl is-active --quiet -- ${unit} || systemctl reload -- ${unit}`, timeout: 60 };
  return {
    run: lines(sh`if systemctl is-active --quiet -- ${unit}; then`, bringUp('reload', unit), sh`else`, bringUp('start', unit), sh`fi`),
    timeout: 180,
  };
}

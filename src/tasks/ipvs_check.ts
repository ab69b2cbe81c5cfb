/**
 * Health checks on a director without keepalived: a service of our own that takes dead real servers out of the kernel's table, as
 * keepalived does (the row is deleted, and added again with its weight), and lets the sorry server answer when too few are left.
 */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, refuse, sh } from '../task.ts';
import { bytesChange, bytesProbe, parseBytes, type SeenBytes } from './support/files/blob-file.ts';
import { blobOf, localFile } from './support/files/local-file.ts';
import { checkText, miscPath } from './support/ipvs/check-text.ts';
import { checks } from './support/ipvs/view.ts';
import { virtualServer } from './support/ipvs/virtual-server-params.ts';
import { exampleService } from './support/keepalived/params.ts';
import { parseProgram, programChanges, programProbe, programTouches, type SeenProgram } from './support/systemd/own-program.ts';

const params = z.strictObject({
  services: z.array(virtualServer).min(1).describe('The virtual servers, each with its real servers and how these are asked.'),
  interval: z.int().min(1).max(3600).describe('Seconds between two checks of a real server.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly program: SeenProgram;
  /** One per script of misc checks. */
  readonly scripts: readonly SeenBytes[];
}

const able = ['tcp', 'http', 'https', 'misc'];

export default defineTask<Want, Seen>({
  summary: 'Health checks on a director without keepalived: dead real servers leave the table, and come back when they answer.',
  params,
  touches: () => programTouches(checks),
  needs: () => ['package:ipvsadm', 'package:curl', 'service:lvsctl-ipvs.service'],
  probe: (want) =>
    lines(programProbe(checks), ...scriptsOf(want).flatMap((script) => [sh`printf '\nnext\n'`, bytesProbe(miscPath(script))])),
  parse(output: Output, want: Want): Seen {
    const [first = '', ...more] = output.stdout.split('\nnext\n');
    const scripts = scriptsOf(want).map((_, index) => parseBytes({ ...output, stdout: more[index] ?? '' }));
    return { program: parseProgram(first), scripts };
  },
  plan(seen, want, context) {
    refuseChecks(want);
    const scripts = scriptsOf(want).flatMap((script, index) => scriptChange(script, seen.scripts[index] as SeenBytes));
    return [...scripts, ...programChanges(checks, seen.program, checkText(want.services, want.interval), context)];
  },
  settled: ({ services, interval }) => {
    const count = services.reduce((sum, { realServers }) => sum + realServers.length, 0);
    return `every ${interval} s ${count === 1 ? 'the real server is' : `${count} real servers are`} asked, now and after a reboot`;
  },
  example: { services: [exampleService], interval: 2 },
});

/** Paths on the control machine, each once. */
function scriptsOf({ services }: Want): readonly string[] {
  return [...new Set(services.flatMap(({ check }) => (check.kind === 'misc' && check.script !== undefined ? [check.script] : [])))];
}

function refuseChecks(want: Want): void {
  const other = want.services.find(({ check }) => !able.includes(check.kind));
  if (other) {
    throw refuse(
      `without keepalived nothing can do the check ${other.check.kind} of ${other.vip}:${other.port}`,
      'say tcp, http, https or misc, or take static.check_interval away',
    );
  }
  const places = scriptsOf(want).map(miscPath);
  const twice = places.find((path, index) => places.indexOf(path) !== index);
  if (twice !== undefined) throw refuse(`two scripts of misc checks would both be ${twice}`, 'give them different file names');
}

/** The inventory's path is one from where we are. */
function scriptChange(script: string, seen: SeenBytes): readonly Change[] {
  const file = localFile(script, '.');
  return bytesChange({
    seen,
    path: miscPath(script),
    blob: blobOf(file),
    size: file.size,
    text: file.text,
    mode: '0700',
    makeParent: true,
  });
}

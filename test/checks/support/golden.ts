/**
 * Golden cases of checks: what real hosts answered to the probe, against the findings that must come of it. One JSON file is one case:
 * test/golden/checks/CHECK/WHAT.json. test/checks/golden.test.ts runs them all.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Facts, Finding, Fleet, VirtualServer } from '../../../src/model.ts';
import type { AnyCheck, CheckContext, Look } from '../../../src/task.ts';
import { contextOf, fleetWith, look, plainFleet } from './fleet.ts';

export interface GoldenCheck {
  /** Where the output was recorded, and what was wrong there. */
  readonly recorded: string;
  readonly params?: unknown;
  /** How the virtual server differs from S0's; `persistence: null` takes that away. */
  readonly service?: Omit<Partial<VirtualServer>, 'persistence'> & { readonly persistence?: number | null };
  readonly fleet?: Partial<Fleet>;
  /** The whole inventory, where it has nothing to do with S0. */
  readonly inventory?: Fleet;
  /** Interfaces that differ from those of test/checks/support/fleet.ts; null: the host was not reached. */
  readonly interfaces?: Readonly<Record<string, Facts['interfaces'] | null>>;
  /** Host → lines of its output. */
  readonly looks: Readonly<Record<string, readonly string[]>>;
  /** All findings, in order. */
  readonly findings: readonly {
    readonly status: Finding['status'];
    readonly host: string;
    readonly found: string;
    /** Part of the fix; absent where there is none. */
    readonly fix?: string;
  }[];
}

const root = new URL('../../golden/checks/', import.meta.url);

/** Every case there is, by check and by file name without its ending. */
export function goldenChecks(): readonly { readonly check: string; readonly name: string; readonly golden: GoldenCheck }[] {
  return readdirSync(fileURLToPath(root)).flatMap((check) =>
    readdirSync(fileURLToPath(new URL(`${check}/`, root)))
      .filter((file) => file.endsWith('.json'))
      .map((file) => ({
        check,
        name: file.replace(/\.json$/, ''),
        golden: JSON.parse(readFileSync(new URL(`${check}/${file}`, root), 'utf8')) as GoldenCheck,
      })),
  );
}

/** What `expect` is given in the case. */
export function situationOf(golden: GoldenCheck): { readonly looks: readonly Look[]; readonly context: CheckContext } {
  const { persistence, ...change } = golden.service ?? {};
  const fleet =
    golden.inventory ??
    (persistence === null ? plainFleet(change, golden.fleet) : fleetWith({ ...change, ...(persistence && { persistence }) }, golden.fleet));
  const interfaces = Object.entries(golden.interfaces ?? {}).map(([host, nics]) => [host, nics ?? undefined] as const);
  const looks = Object.entries(golden.looks).map(([host, lines]) => look(host, lines.map((line) => `${line}\n`).join(''), fleet));
  return { looks, context: contextOf(fleet, Object.fromEntries(interfaces)) };
}

/** What the check makes of the case, in the shape of the case's own findings: compare the two. */
export function replayCheck(check: AnyCheck, golden: GoldenCheck): GoldenCheck['findings'] {
  const { looks, context } = situationOf(golden);
  const findings = check.expect(looks, check.params.parse(golden.params ?? {}), context);
  return findings.map(({ status, host, found, fix }, index) => {
    const wanted = golden.findings[index]?.fix;
    return { status, host, found, ...(fix !== '' && { fix: wanted !== undefined && fix.includes(wanted) ? wanted : fix }) };
  });
}

import { z } from 'zod';
import { type Change, defineTask, lines, refuse, type Sh, sh } from '../task.ts';
import { editableText, editChange } from './support/files/edit-lines.ts';
import { escapeField, type FstabEntry, fstabEdits, type LiveMount, missingOptions, mountedAt } from './support/files/mount-table.ts';
import { filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { absolutePath, text } from './support/params.ts';

const fstab = '/etc/fstab';

const params = z
  .strictObject({
    path: absolutePath.describe('Directory that it is mounted on; made where it is missing.'),
    src: text
      .regex(/^[^\s#-][^\n]*$/, 'a device, UUID=…, LABEL=…, server:/export, a directory for a bind mount, or tmpfs')
      .optional()
      .describe('What is mounted: a device, `UUID=…`, `LABEL=…`, `server:/export`, a directory with the option bind, or `tmpfs`.'),
    fstype: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]*$/, 'a type of file system, such as ext4')
      .optional()
      .describe('Type of the file system; `none` for a bind mount.'),
    opts: z
      .string()
      .regex(/^[^\s,#-][^\s,#]*(,[^\s,#]+)*$/, 'options with commas between them, without blanks')
      .default('defaults')
      .describe(
        'Mount options; without `nofail`, a host does not boot where the device is gone. Live, only ro, nosuid, nodev, noexec, noatime, relatime, their opposites and size are compared.',
      ),
    dump: z.int().min(0).max(1).default(0).describe('Fifth field of fstab.'),
    passno: z.int().min(0).max(2).default(0).describe('Sixth field of fstab: when it is checked at boot.'),
    state: z
      .enum(['mounted', 'present', 'unmounted', 'absent'])
      .default('mounted')
      .describe(
        '`mounted`: now and at boot. `present`: at boot. `unmounted`: not now, fstab as it is. `absent`: neither; the directory stays.',
      ),
  })
  .refine(
    ({ state, src, fstype }) => state === 'unmounted' || state === 'absent' || (src !== undefined && fstype !== undefined),
    '"src" and "fstype" are needed to mount something',
  );

type Want = z.infer<typeof params>;

interface Seen {
  readonly fstab: SeenFile;
  readonly live: LiveMount | undefined;
  /** Where the live mount is of a loop device: the file behind it. */
  readonly backing: string;
  /** Of the wanted source: its path without links, and its device number where it is a device. */
  readonly source: { readonly path: string; readonly device: string };
  /** The mount point is the very directory of the source. */
  readonly bound: boolean;
}

export default defineTask<Want, Seen>({
  summary: 'A file system mounted on a directory: now (what the kernel says) and at boot (/etc/fstab).',
  params,
  touches: (want) => [`directory:${want.path}`, `mount:${want.path}`, ...(want.state === 'unmounted' ? [] : [`file:${fstab}`])],
  probe: (want) => lines(filesProbe([fstab]), liveProbe(want), want.src !== undefined && sourceProbe(want.src, want)),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, [fstab]);
    const said = (pattern: RegExp): string => pattern.exec(rest)?.[1] ?? '';
    return {
      fstab: files[0] as SeenFile,
      live: mountedAt(rest, want.path),
      backing: said(/^backing (.*)$/m),
      source: { path: said(/^source (.*)$/m), device: decimal(said(/^device ([0-9a-f]+:[0-9a-f]+)$/m)) },
      bound: /^bound$/m.test(rest),
    };
  },
  plan: (seen, want) => [
    ...(want.state === 'present' ? [] : live(seen, want)),
    ...(want.state === 'unmounted' ? [] : persisted(seen, want)),
  ],
  settled: ({ path, src, state }) =>
    ({
      mounted: `${src} is mounted on ${path}, now and at boot`,
      present: `${src} is mounted on ${path} at boot`,
      unmounted: `nothing is mounted on ${path}`,
      absent: `nothing is mounted on ${path}, now or at boot`,
    })[state],
  example: {
    path: '/srv/data',
    src: 'UUID=0b5c2c9e-6f0c-4f0e-9c0e-1b1f5e3a7d21',
    fstype: 'ext4',
    opts: 'noatime,nofail',
    dump: 0,
    passno: 2,
    state: 'mounted',
  },
});

function liveProbe({ path }: Want): Sh {
  return sh`grep -F -- ${` ${escapeField(path)} `} /proc/self/mountinfo | while read -r one two device rest; do
  printf 'mount %s %s %s %s\n' "$one" "$two" "$device" "$rest"
  [ ! -r "/sys/dev/block/$device/loop/backing_file" ] || { read -r file <"/sys/dev/block/$device/loop/backing_file" && printf 'backing %s\n' "$file"; }
done`;
}

/** Links such as those of udev lead to the name that the kernel uses; numbers are the same under any name. */
function sourceProbe(src: string, { path }: Want): Sh {
  const [, kind = '', value = ''] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/.exec(src) ?? [];
  const place = kind === '' ? src : `/dev/disk/by-${kind.toLowerCase()}/${value}`;
  if (!place.startsWith('/')) return sh`:`;
  return sh`p=${place} at=${path}
[ ! -e "$p" ] || printf 'source %s\n' "$(readlink -f -- "$p")"
[ ! -b "$p" ] || printf 'device %s\n' "$(stat -L -c %t:%T -- "$p")"
[ ! -d "$p" ] || [ ! -d "$at" ] || [ "$(stat -L -c %d:%i -- "$p")" != "$(stat -L -c %d:%i -- "$at")" ] || printf 'bound\n'`;
}

function decimal(hex: string): string {
  return hex === ''
    ? ''
    : hex
        .split(':')
        .map((part) => Number.parseInt(part, 16))
        .join(':');
}

function live(seen: Seen, want: Want): readonly Change[] {
  const { path, opts, state } = want;
  const { live } = seen;
  if (state !== 'mounted') return live ? [unmount(live, path)] : [];
  if (!live) return [mount(want)];
  if (!isWanted(seen, live, want)) {
    throw refuse(`${path} has something else mounted: ${shown(live)}`, `umount ${path}, if nobody needs it any more`);
  }
  const missing = missingOptions(opts, live.opts);
  return missing.length === 0 ? [] : [remount(live, missing, want)];
}

/** Types have kindred names: what is wanted as nfs shows as nfs4, what FUSE does shows as fuse.NAME. */
function isWanted({ backing, source, bound }: Seen, found: LiveMount, { src = '', fstype = '', opts }: Want): boolean {
  if (/(^|,)r?bind(,|$)/.test(opts)) return bound;
  const kind =
    fstype === 'auto' || found.fstype === fstype || found.fstype === `fuse.${fstype}` || (fstype === 'nfs' && found.fstype === 'nfs4');
  const device = source.device !== '' && found.device === source.device;
  const named = [src, src.replace(/(?<=.)\/$/, ''), source.path].includes(found.src.replace(/(?<=.)\/$/, ''));
  const virtual = !src.includes('/') && !src.includes('=') && !src.includes(':');
  return kind && (device || named || virtual || (backing !== '' && backing === source.path));
}

function shown({ src, fstype, opts }: LiveMount): string {
  const safe = `${src} (${fstype}, ${[...new Set(opts)].join(',')})`;
  return safe.replace(/[\p{C}\p{Co}]/gu, '?');
}

function mount({ path, src = '', fstype = '', opts }: Want): Change {
  return {
    id: `mount:${path}`,
    title: `mount ${src} on ${path}`,
    was: '',
    will: `${src} (${fstype}, ${opts})\n`,
    run: sh`path=${path}
[ -d "$path" ] || ( umask 022; mkdir -p -- "$path" ) || exit 1
mount -t ${fstype} -o ${opts} -- ${src} "$path"`,
    unless: sh`mountpoint -q -- ${path}`,
    timeout: 120,
  };
}

function remount(found: LiveMount, missing: readonly string[], { path, src = '', opts }: Want): Change {
  return {
    id: `remount:${path}`,
    title: `remount ${path} with ${missing.join(',')}`,
    was: `${shown(found)}\n`,
    will: `${src} with ${missing.join(',')}\n`,
    run: sh`mount -o ${['remount', opts, ...missing].join(',')} -- ${src} ${path}`,
    timeout: 120,
  };
}

function unmount(found: LiveMount, path: string): Change {
  return {
    id: `unmount:${path}`,
    title: `unmount ${path}`,
    was: `${shown(found)}\n`,
    will: '',
    run: sh`umount -- ${path}`,
    timeout: 120,
    risk: 'restart',
  };
}

/** systemd makes its mount units of fstab when it is told to. */
function persisted(seen: Seen, want: Want): readonly Change[] {
  const { path, src = '', fstype = '', opts, dump, passno } = want;
  const entry: FstabEntry | undefined = want.state === 'absent' ? undefined : { src, path, fstype, opts, dump, passno };
  const edits = fstabEdits(editableText(seen.fstab, fstab, true), path, entry);
  const title = entry === undefined ? `take ${path} out of ${fstab}` : `mount ${src} on ${path} at boot`;
  const changes = editChange(seen.fstab, { path: fstab, edits, title });
  return changes.map((change) => ({
    ...change,
    run: lines(
      change.run,
      sh`[ $? -eq 0 ] || exit 1
[ ! -d /run/systemd/system ] || systemctl daemon-reload`,
    ),
  }));
}

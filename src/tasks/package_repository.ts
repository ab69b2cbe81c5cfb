import { z } from 'zod';
import { type Change, defineTask, type Facts, type PlanContext, refuse, type Sh, sh } from '../task.ts';
import { removeChange } from './support/files/file-states.ts';
import { localFile } from './support/files/local-file.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { type Repository, type RepositoryFile, repositoryFiles, repositoryPaths, siteOf } from './support/packages/repository-files.ts';
import { fileContent, localPath, oneOrMore, text, toList } from './support/params.ts';

const url = z
  .string()
  .regex(/^(https?:\/\/[A-Za-z0-9[][A-Za-z0-9_.~:/?&=%+,@()$\]-]*|file:\/\/?\/[A-Za-z0-9_.~/%+-]+)$/, 'an http, https or file URL')
  .refine((value) => !/^(https?|file):/.test(value) || URL.canParse(value), 'an http, https or file URL');
const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_./+~-]*$/, 'a word such as bookworm or main');
const pattern = z.string().regex(/^[A-Za-z0-9*?][A-Za-z0-9*?+._-]*$/, 'the name of a package, or a pattern such as nginx*');

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]{0,60}$/, 'a name of small letters, digits, "_" and "-"')
      .describe('Name of the repository, and of its files.'),
    state: z.enum(['present', 'absent']).default('present').describe('`absent` removes its files; what was installed from it stays.'),
    url: oneOrMore(url).optional().describe('Where it is: a URL, or several of the same content. For dnf with $releasever and $basearch.'),
    suites: z.array(word).optional().describe('apt: suites such as bookworm; unsaid, the repository is flat.'),
    components: z.array(word).optional().describe('apt: components of the suites, such as main.'),
    key: fileContent
      .refine((value) => value.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----'), 'a public key in armor: gpg --armor --export prints it')
      .optional()
      .describe('Public key that its content is signed with, in armor. apt takes it for this repository alone.'),
    key_file: text
      .regex(/^(.*\/)?(?!\.{1,2}$)[^/\n]+$/, 'the path of a file')
      .optional()
      .describe('Instead of key: a file of the control machine, relative to the folder of the playbook, or else of the inventory.')
      .meta(localPath),
    unsigned: z.boolean().optional().describe('Takes what nobody has signed. Without it a repository has a key.'),
    priority: z
      .int()
      .min(-1)
      .max(1001)
      .optional()
      .describe(
        'apt: priority of the pin, 500 being that of any other; dnf: priority, 1 to 99, the lowest first, 99 being that of any other.',
      ),
    packages: z
      .array(pattern)
      .min(1)
      .optional()
      .describe('Takes only these from it: names or patterns. For dnf includepkgs, for apt a pin.'),
    origin: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._+-]*$/, 'what "Origin:" says in its Release file')
      .optional()
      .describe('apt: "Origin:" of its Release file, for the pin, where another repository has the same host.'),
  })
  .refine((want) => want.state === 'absent' || want.url !== undefined, { error: 'a repository has a "url"', path: ['url'] })
  .refine((want) => want.key === undefined || want.key_file === undefined, '"key" or "key_file", not both')
  .refine(
    (want) => want.state === 'absent' || ((want.key ?? want.key_file) === undefined) === (want.unsigned === true),
    'give the key that it is signed with ("key" or "key_file"), or say "unsigned: true", not both',
  )
  .refine((want) => (want.suites === undefined) === (want.components === undefined), '"suites" and "components" go together');

type Want = z.output<typeof params>;

interface Seen {
  readonly files: Readonly<Record<string, SeenFile>>;
  /** Of apt's other sources: hosts of their URLs. */
  readonly sites: readonly string[];
}

export default defineTask<Want, Seen>({
  summary:
    'A repository of packages beside those of the distribution, with its key and, if wished, pinned to some packages. It is put in place once its lists were fetched.',
  params,
  touches: ({ name }) => repositoryPaths(name).map((path) => `file:${path}`),
  probe: ({ name }) => sh`${filesProbe(repositoryPaths(name))}
! command -v apt-get >/dev/null || apt-get indextargets --format '$(SOURCESENTRY) $(SITE)' 2>/dev/null | while read -r entry site; do
  case $entry in ${`/etc/apt/sources.list.d/${name}.sources`}:*) ;; *) printf 'site %s\n' "$site" ;; esac
done | sort -u`,
  parse: (output, { name }) => {
    const paths = repositoryPaths(name);
    const { files, rest } = parseFiles(output, paths);
    return {
      files: Object.fromEntries(paths.map((path, index) => [path, files[index] as SeenFile])),
      sites: [...rest.matchAll(/^site ?(.*)$/gm)].map(([, site = '']) => siteOrNone(site)),
    };
  },
  plan: (seen, want, context) => {
    const { packageManager } = context.facts;
    if (packageManager === 'none') throw refuse('this host has neither apt-get nor dnf', 'leave this step out there with "when"');
    const wanted = repositoryOf(want, context);
    if (want.state === 'present') refuseUnfit(wanted, seen, context.facts);
    const files = repositoryFiles(wanted, packageManager);
    if (want.state === 'absent') return files.toReversed().flatMap(({ path }) => removeChange(seen.files[path] as SeenFile, path));
    // What goes, goes last: until then the old sources may name the key.
    const ordered = [...files.filter(({ content }) => content !== undefined), ...files.filter(({ content }) => content === undefined)];
    return ordered.flatMap((file) => fileChanges(file, seen, wanted, context));
  },
  settled: ({ name, state, packages }) =>
    state === 'absent'
      ? `there is no repository ${name}`
      : `the repository ${name} is there${packages ? `, for ${packages.join(', ')} alone` : ''}`,
  example: {
    name: 'keepalived-team',
    state: 'present',
    url: 'https://packages.example.org/debian',
    suites: ['bookworm'],
    components: ['main'],
    key: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEaQ==\n-----END PGP PUBLIC KEY BLOCK-----\n',
    priority: 600,
    packages: ['keepalived', 'ipvsadm'],
  },
});

/** The key from where it is, as text. */
function repositoryOf(want: Want, { fleet }: PlanContext): Repository {
  const file = want.key_file === undefined ? undefined : localFile(want.key_file, fleet.file);
  if (file && !file.text?.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) {
    throw refuse(`${want.key_file} is no public key in armor`, 'gpg --armor --export prints one');
  }
  const { name, suites = [], components = [], priority, packages = [], origin } = want;
  const key = want.key ?? file?.text;
  return {
    ...{ name, suites, components, priority, packages, origin },
    urls: want.url === undefined ? [] : toList(want.url),
    key: key === undefined || key.endsWith('\n') ? key : `${key}\n`,
  };
}

function refuseUnfit({ urls, suites, priority, packages, origin }: Repository, { sites }: Seen, { packageManager }: Facts): void {
  if (packageManager === 'dnf') {
    if (suites.length > 0) throw refuse('dnf knows no suites', 'put them into the URL, and leave "suites" and "components" out');
    if (priority !== undefined && (priority < 1 || priority > 99)) throw refuse(`dnf knows no priority ${priority}`, 'give one of 1 to 99');
    return;
  }
  const shared = urls.map(siteOf).find((site) => sites.includes(site));
  if ((priority !== undefined || packages.length > 0) && origin === undefined && shared !== undefined) {
    throw refuse(
      `a pin on ${shared || 'folders of the host'} would be one on other repositories there too`,
      'say "origin", which the Release file of the repository has',
    );
  }
}

/** `file:` URLs have no site: apt writes the folder there. */
function siteOrNone(site: string): string {
  return URL.canParse(site) ? siteOf(site) : '';
}

function fileChanges({ path, content }: RepositoryFile, seen: Seen, { name }: Repository, context: PlanContext): readonly Change[] {
  const found = seen.files[path] as SeenFile;
  if (content === undefined) return removeChange(found, path);
  const makeKnown = path.endsWith('.sources') ? fetchAptLists : path.endsWith('.repo') ? fetchDnfLists(name) : undefined;
  return fileChange({ seen: found, path, content, makeParent: true, context, ...(makeKnown && { validate: makeKnown }) }).map((change) =>
    makeKnown ? { ...change, timeout: 600 } : change,
  );
}

/** Of the staged file alone, into the host's own lists: a repository that cannot be reached or verified never gets in the way of others. */
const fetchAptLists = (staged: Sh): Sh => sh`(
copy=$(mktemp -d) || exit 1
trap 'rm -rf -- "$copy"' EXIT
cp -- ${staged} "$copy/staged.sources" && chmod 755 "$copy" && chmod 644 "$copy/staged.sources" || exit 1
apt-get -q -o Dir::Etc::SourceList="$copy/staged.sources" -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update
)`;

function fetchDnfLists(name: string): (staged: Sh) => Sh {
  return (staged) => sh`(
copy=$(mktemp -d) || exit 1
trap 'rm -rf -- "$copy"' EXIT
cp -- ${staged} "$copy/staged.repo" || exit 1
dnf -q --setopt=reposdir="$copy" --disablerepo='*' --enablerepo=${name} --setopt=${`${name}.skip_if_unavailable=0`} makecache
)`;
}

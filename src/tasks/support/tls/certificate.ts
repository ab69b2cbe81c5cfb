/** What a host says of a certificate and its key, without ever showing the key, and how both are made there. */
import ipaddr from 'ipaddr.js';
import { lines, type Sh, sh } from '../../../task.ts';
import { fileProbe, parseFile, type SeenFile } from '../files/seen-file.ts';

export interface CertificatePaths {
  readonly certificate: string;
  readonly key: string;
}

export interface SeenCertificate {
  readonly file: SeenFile;
  /** Without content: it never leaves the host. */
  readonly key: SeenFile;
  /** SHA-256 of the key's file; empty where there is none. */
  readonly keySum: string;
  /** As `serverNames` writes them; empty where there is no certificate that openssl can read. */
  readonly names: readonly string[];
  /** Its last day as openssl says it; empty as above. */
  readonly until: string;
  /** Still valid after the time that was asked for. */
  readonly lasts: boolean;
  readonly selfSigned: boolean;
  /** The key is the certificate's. */
  readonly matches: boolean;
}

/** The public key of the key in the file that `path` names, as PEM. One with a password is none: a server could not start with it. */
export const publicKey = (path: Sh): Sh => sh`openssl pkey -in ${path} -passin pass: -pubout </dev/null 2>/dev/null`;

/** `seconds`: how long the certificate must still be valid. */
export function certificateProbe({ certificate, key }: CertificatePaths, seconds: number): Sh {
  return lines(
    fileProbe(certificate),
    sh`printf '\nend\n'
certificate=${certificate} key=${key}
if [ -L "$key" ]; then printf 'type link\n'
elif [ -f "$key" ]; then
  stat -c 'type file
owner %U
group %G
uid %u
gid %g
mode %a
size %s' -- "$key"
  printf 'sum %s\n' "$(sha256sum <"$key")"
elif [ -e "$key" ]; then printf 'type other\n'; fi
if [ -f "$certificate" ] && command -v openssl >/dev/null 2>&1; then
  openssl x509 -in "$certificate" -noout -enddate -subject -issuer -ext subjectAltName 2>/dev/null | sed 's/^ */x509 /'
  ! openssl x509 -in "$certificate" -noout -checkend ${seconds} >/dev/null 2>&1 || printf 'lasts\n'
  own=$(openssl x509 -in "$certificate" -noout -pubkey 2>/dev/null)
  [ -z "$own" ] || [ "$own" != "$(${publicKey(sh`"$key"`)})" ] || printf 'matches\n'
fi`,
  );
}

/** Survives any output. */
export function parseCertificate(stdout: string): SeenCertificate {
  const [file = '', rest = ''] = stdout.split('\nend\n');
  const said = (pattern: RegExp): string => pattern.exec(rest)?.[1] ?? '';
  const subject = said(/^x509 subject=(.*)$/m);
  return {
    file: parseFile({ stdout: file }),
    key: parseFile({ stdout: rest }),
    keySum: said(/^sum ([0-9a-f]{64})\b/m),
    names: serverNames(
      said(/^x509 ((?:DNS|IP Address):.*)$/m)
        .split(', ')
        .map((each) => each.replace(/^(DNS|IP Address):/, '')),
    ),
    until: said(/^x509 notAfter=(\w[\w :]*)$/m),
    lasts: /^lasts$/m.test(rest),
    selfSigned: subject !== '' && subject === said(/^x509 issuer=(.*)$/m),
    matches: /^matches$/m.test(rest),
  };
}

/** Names and addresses in one form, sorted, each once. */
export function serverNames(names: readonly string[]): readonly string[] {
  const plain = names
    .filter((name) => name !== '')
    .map((name) => (ipaddr.isValid(name) ? ipaddr.parse(name).toString() : name.toLowerCase()));
  return [...new Set(plain)].sort();
}

interface SelfSigned extends CertificatePaths {
  readonly names: readonly string[];
  readonly days: number;
  readonly keyType: 'ec' | 'rsa';
}

/** A new certificate over the key that is there, or over a new one where none is that can be used. */
export function makeCertificate({ certificate, key, names, days, keyType }: SelfSigned): Sh {
  const alternatives = names.map((name) => `${ipaddr.isValid(name) ? 'IP' : 'DNS'}:${name}`).join(',');
  const subject = names.find((name) => name.length <= 64 && !ipaddr.isValid(name)) ?? names.find((name) => name.length <= 64) ?? 'lvsctl';
  const algorithm =
    keyType === 'ec' ? sh`-algorithm EC -pkeyopt ec_paramgen_curve:P-256` : sh`-algorithm RSA -pkeyopt rsa_keygen_bits:2048`;
  return sh`(
umask 077
certificate=${certificate} key=${key}
command -v openssl >/dev/null || { echo 'openssl is not installed here: install the package openssl first' >&2; exit 1; }
for path in "$certificate" "$key"; do
  [ -d "\${path%/*}" ] || ( umask 022; mkdir -p -- "\${path%/*}" ) || exit 1
  [ ! -L "$path" ] && { [ ! -e "$path" ] || [ -f "$path" ]; } || { printf '%s\n' "$path is no regular file" >&2; exit 1; }
done
trap 'rm -f -- "$certificate.lvsctl" "$key.lvsctl"' EXIT
trap 'exit 1' HUP INT TERM
rm -f -- "$certificate.lvsctl" "$key.lvsctl"
with=$key
if [ -z "$(${publicKey(sh`"$key"`)})" ]; then
  with=$key.lvsctl
  openssl genpkey ${algorithm} -out "$with" 2>/dev/null || { echo 'openssl made no key' >&2; exit 1; }
fi
openssl req -x509 -new -sha256 -key "$with" -days ${days} -subj ${`/CN=${subject}`} -addext ${`subjectAltName=${alternatives}`} -out "$certificate.lvsctl" || exit 1
[ "$with" = "$key" ] || { sync -- "$with" 2>/dev/null || sync; mv -f -- "$with" "$key"; } || exit 1
chown root:root "$key" && chmod 0600 "$key" && chmod 0644 "$certificate.lvsctl" || exit 1
sync -- "$certificate.lvsctl" 2>/dev/null || sync
mv -f -- "$certificate.lvsctl" "$certificate" || exit 1
[ ! -e /sys/fs/selinux/enforce ] || ! command -v restorecon >/dev/null || restorecon -- "$certificate" "$key" || :
)`;
}

/** Certificates and keys of the control machine: looked at before any host is touched. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { refuse } from '../../../task.ts';

/** `name` is what the playbook calls the file. Throws `refused` for what is no certificate, or one that has ended. */
export function readCertificate(name: string, pem: string | undefined): X509Certificate {
  const issued = attempt(() => new X509Certificate(pem ?? ''));
  if (issued === undefined) throw refuse(`${name} is no certificate`, 'give one that begins with -----BEGIN CERTIFICATE-----');
  if (Date.parse(issued.validTo) < Date.now()) throw refuse(`${name} ended on ${issued.validTo}`, 'have it renewed');
  return issued;
}

/** Throws `refused` unless this is the certificate's key, and without a password. */
export function refuseKey(name: string, pem: string | undefined, issued: X509Certificate, certificate: string): void {
  const key = attempt(() => createPrivateKey(pem ?? ''));
  if (key === undefined)
    throw refuse(`${name} is no private key that can be used without a password`, 'openssl pkey -in FILE takes the password out');
  if (!issued.checkPrivateKey(key))
    throw refuse(`${name} is not the key of ${certificate}`, 'name the key that the certificate was made with');
}

function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

// Certificates made on the spot: X.509 version 3 over P-256, written as DER by hand, because Node reads certificates but
// makes none and no test may need a program from outside. https://www.rfc-editor.org/rfc/rfc5280#section-4.1
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly name: string;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly privateKey: KeyObject;
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const hex = (text: string) => Buffer.from(text, 'hex');
const bits = (content: Uint8Array) => der(0x03, Buffer.from([0]), content);

const ECDSA_SHA256 = sequence(hex('06082a8648ce3d040302'));
const COMMON_NAME = hex('0603550403');
const BASIC_CONSTRAINTS = hex('0603551d13');
const ALTERNATIVE_NAME = hex('0603551d11');
const TRUE = hex('0101ff');

const nameOf = (name: string) => sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))));
/** GeneralizedTime. */
const validity = (until: string) =>
  sequence(der(0x18, Buffer.from('20200101000000Z')), der(0x18, Buffer.from(`${until}Z`)));

export interface CertificateFacts {
  /** YYYYMMDDhhmmss; it outlives the tests when absent. */
  readonly until?: string;
  /** IPv4 address it is for; 127.0.0.1 when absent. */
  readonly address?: readonly number[];
}

/** A certificate for 127.0.0.1; signed by `issuer`, or by itself and then fit to sign others. */
export function makeCertificate(name: string, issuer?: Certificate, facts: CertificateFacts = {}): Certificate {
  const { until = '20991231235959', address = [127, 0, 0, 1] } = facts;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const constraints = issuer ? sequence() : sequence(TRUE);
  const extensions = sequence(
    sequence(BASIC_CONSTRAINTS, TRUE, der(0x04, constraints)),
    sequence(ALTERNATIVE_NAME, der(0x04, sequence(der(0x87, Buffer.from(address))))),
  );
  const content = sequence(
    der(0xa0, hex('020102')),
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ECDSA_SHA256,
    nameOf(issuer?.name ?? name),
    validity(until),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = sign('sha256', content, issuer?.privateKey ?? privateKey);
  const certificate = sequence(content, ECDSA_SHA256, bits(signature)).toString('base64');
  const lines = certificate.match(/.{1,64}/g) ?? [];
  return {
    name,
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    privateKey,
  };
}

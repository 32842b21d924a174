// A seal: a signed sentence on how far the audit trail had come and what its hash was, which anybody can check with
// /.well-known/jwks.json. Each covers the seal before it, so that none can be taken out.
// https://www.rfc-editor.org/rfc/rfc7515 (compact serialization)
import { hash } from 'node:crypto';
import { CompactSign, compactVerify, createLocalJWKSet, decodeProtectedHeader } from 'jose';
import type { Keys } from '../access/keys.ts';

export interface Seal {
  /** 1, 2, 3… without gaps. */
  readonly number: number;
  /** `beginning`: records up to the sequence were removed by retention. */
  readonly kind: 'seal' | 'beginning';
  /** Of the newest record at the time, or of the last one removed. */
  readonly sequence: number;
  /** That record's. */
  readonly hash: string;
  /** FHIR instant. */
  readonly time: string;
  /** SHA-256 of the seal before, base64url; '' of the first. */
  readonly previous: string;
  /** Of a beginning: number of the oldest seal that was kept. */
  readonly from?: number;
}

/** Says what is signed, so that a seal is never taken for an access token or the other way round (RFC 8725). */
const TYPE = 'baton-audit-seal+jws';

/** @returns the seal as a compact JWS */
export async function signSeal(key: Keys['token'], seal: Seal): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(seal)))
    .setProtectedHeader({ alg: key.alg, kid: key.keyId, typ: TYPE })
    .sign(key.privateKey);
}

/** What a JWS says, without any proof; undefined when it is no seal. */
export function readSeal(jws: string): Seal | undefined {
  try {
    const seal = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as Partial<Seal>;
    const isSeal =
      decodeProtectedHeader(jws).typ === TYPE &&
      (seal.kind === 'seal' || seal.kind === 'beginning') &&
      [seal.number, seal.sequence].every(Number.isSafeInteger) &&
      [seal.hash, seal.time, seal.previous].every((text) => typeof text === 'string');
    return isSeal ? (seal as Seal) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether one of the published keys has signed it. */
export async function isSigned(jws: string, jwks: Keys['jwks']): Promise<boolean> {
  try {
    await compactVerify(jws, createLocalJWKSet({ keys: [...jwks.keys] }), { algorithms: ['ES384'] });
    return true;
  } catch {
    return false;
  }
}

/** How the next seal names this one. */
export function digestOf(jws: string): string {
  return hash('sha256', jws, 'base64url');
}

// Makes Baton's own access tokens: short-lived JWTs for backend clients, the sandbox and `baton token`.
// https://www.rfc-editor.org/rfc/rfc9068
import { randomUUID } from 'node:crypto';
import { CompactSign } from 'jose';
import type { Clock } from '../clock.ts';
import type { SigningKey } from './keys.ts';

export interface TokenRequest {
  /** `iss`: Baton's base URL. */
  readonly issuer: string;
  /** `aud`: the FHIR base URL. */
  readonly audience: string;
  /** `sub` and `client_id`. */
  readonly clientId: string;
  readonly scope: string;
  readonly lifetimeSeconds: number;
  /** Id of the patient in context. */
  readonly patient?: string;
  /** `Practitioner/12`, when a person asks. */
  readonly fhirUser?: string;
}

/** @returns the token as a compact JWS of type `at+jwt` */
export async function issueToken(key: SigningKey, clock: Clock, request: TokenRequest): Promise<string> {
  const now = Math.floor(clock.real().epochMilliseconds / 1000);
  const claims = {
    iss: request.issuer,
    aud: request.audience,
    sub: request.fhirUser ?? request.clientId,
    client_id: request.clientId,
    scope: request.scope,
    iat: now,
    exp: now + request.lifetimeSeconds,
    jti: randomUUID(),
    ...(request.patient ? { patient: request.patient } : {}),
    ...(request.fhirUser ? { fhirUser: request.fhirUser } : {}),
  };
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: key.alg, kid: key.keyId, typ: 'at+jwt' })
    .sign(key.privateKey);
}

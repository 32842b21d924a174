// Signed assertions of clients, right unless a test makes them wrong.
import { randomUUID } from 'node:crypto';
import { CompactSign, type CryptoKey } from 'jose';
import type { World } from './world.ts';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export const inSeconds = (seconds: number): number =>
  Math.floor(Temporal.Now.instant().epochMilliseconds / 1000) + seconds;

/** @returns the two fields of the form */
export async function signAssertion(
  world: World,
  clientId: string,
  key: CryptoKey | undefined,
  alg: string,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<{ client_assertion_type: string; client_assertion: string }> {
  if (!key) throw new Error(`no ${alg} key`);
  const payload = {
    iss: clientId,
    sub: clientId,
    aud: `${world.base}/oauth/token`,
    exp: inSeconds(300),
    jti: randomUUID(),
    ...claims,
  };
  const client_assertion = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg, kid: alg, typ: 'JWT' })
    .sign(key);
  return { client_assertion_type: ASSERTION_TYPE, client_assertion };
}

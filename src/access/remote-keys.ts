// The public keys of another issuer: fetched when first needed, kept, and fetched again when a token names a key that is
// not among them (at most every 30 seconds, so that made-up key ids cannot make Baton hammer the issuer).
import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTVerifyGetKey } from 'jose';
import { Fault } from '../fault.ts';

/** An authorization server whose tokens are accepted beside Baton's own. */
export interface Issuer {
  readonly issuer: string;
  /** Where its public keys are; found by OpenID Connect discovery when absent. */
  readonly jwksUrl?: string | undefined;
  /** `aud` its tokens must carry. */
  readonly audience: string;
}

/** Finds the key that must have signed a token. @throws JOSEError when there is none, Fault unavailable */
export type KeySet = JWTVerifyGetKey;

const TIMEOUT_MS = 5_000;
/** What jose says when a key set does not answer, answers with an error, or answers with something else. */
const UNAVAILABLE = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'];

export function remoteKeys(issuer: Issuer, fetch: FetchImplementation | undefined): KeySet {
  let known: Promise<KeySet> | undefined;
  const open = async () => {
    const url = issuer.jwksUrl ?? (await discover(issuer.issuer, fetch));
    return createRemoteJWKSet(new URL(url), {
      timeoutDuration: TIMEOUT_MS,
      ...(fetch ? { [customFetch]: fetch } : {}),
    });
  };
  return async (header, token) => {
    known ??= open();
    try {
      return await (await known)(header, token);
    } catch (cause) {
      if (cause instanceof errors.JOSEError && !UNAVAILABLE.includes(cause.code)) throw cause;
      known = undefined;
      throw new Fault('unavailable', "The issuer's keys cannot be fetched at the moment; try again.", { cause });
    }
  };
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig */
async function discover(issuer: string, fetch: FetchImplementation = globalThis.fetch): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(url, {
    headers: new Headers({ accept: 'application/json' }),
    method: 'GET',
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const document = answer.ok ? ((await answer.json()) as { issuer?: unknown; jwks_uri?: unknown }) : {};
  if (document.issuer !== issuer || typeof document.jwks_uri !== 'string') {
    throw new Error(`${url} answered ${answer.status} and does not describe ${issuer}.`);
  }
  return document.jwks_uri;
}

// Signing in at the site's own identity provider instead of with a password of Baton's: OpenID Connect, code flow with PKCE,
// state and nonce. A claim of its id token says who the person is in FHIR.
import * as oidc from 'openid-client';
import type { Clock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import { isTrustworthy } from '../trustworthy-url.ts';
import { type Account, type Accounts, isFhirUser } from './accounts.ts';
import type { StateTable } from './state-table.ts';

export interface OutsideLoginConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Claim of the id token with a reference such as `Practitioner/12`, relative or below Baton's FHIR base. */
  readonly claim: string;
}

export interface OutsideLogin {
  /** @returns where to send the person who signs in for this interaction. @throws Fault upstream */
  begin(uid: string): Promise<string>;
  /** The interaction that an answer of the provider belongs to; undefined when nobody is waiting for it. */
  interactionOf(state: string): Promise<string | undefined>;
  /** @param url the whole address that the provider sent the person back to. @throws Fault forbidden | upstream */
  finish(uid: string, url: URL): Promise<Account>;
}

interface Pending {
  readonly uid: string;
  readonly nonce: string;
  readonly verifier: string;
}

const PENDING_SECONDS = 900;
const MODEL = 'OutsideLogin';

export function createOutsideLogin(
  config: OutsideLoginConfig,
  parts: { table: StateTable; accounts: Accounts; clock: Clock; issuer: () => string; callback: () => string },
): OutsideLogin {
  const { table, accounts, clock } = parts;
  let discovered: Promise<oidc.Configuration> | undefined;
  const provider = () => {
    discovered ??= discover(config).catch((cause) => {
      discovered = undefined;
      throw new Fault('upstream', 'The identity provider does not answer; try again.', { cause });
    });
    return discovered;
  };
  return {
    async begin(uid) {
      const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
      const known = await provider();
      const expires = Math.floor(clock.real().epochMilliseconds / 1000) + PENDING_SECONDS;
      await table.put(MODEL, state, { payload: { uid, nonce, verifier } satisfies Pending, expires });
      return oidc.buildAuthorizationUrl(known, {
        redirect_uri: parts.callback(),
        scope: 'openid',
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).href;
    },
    async interactionOf(state) {
      const row = await table.find(MODEL, state);
      return row?.consumed === undefined ? (row?.payload as Pending | undefined)?.uid : undefined;
    },
    async finish(uid, url) {
      const state = url.searchParams.get('state') ?? '';
      const pending = (await table.find(MODEL, state))?.payload as Pending | undefined;
      if (pending?.uid !== uid || !(await table.consume(MODEL, state))) {
        throw new Fault('forbidden', 'Nobody is waiting for this answer of the identity provider.');
      }
      const claims = await exchange(await provider(), url, pending, state);
      const fhirUser = String(claims?.[config.claim] ?? '').replace(`${parts.issuer()}/fhir/R4/`, '');
      if (!claims || !isFhirUser(fhirUser)) {
        throw new Fault('forbidden', `The identity provider does not say who this is in FHIR (claim ${config.claim}).`);
      }
      const account = await accounts.vouchedFor(config.issuer, claims.sub, fhirUser);
      if (account.disabled) throw new Fault('forbidden', 'This account is disabled.');
      return account;
    },
  };
}

async function exchange(known: oidc.Configuration, url: URL, { nonce, verifier }: Pending, state: string) {
  try {
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
    return (await oidc.authorizationCodeGrant(known, url, checks)).claims();
  } catch (cause) {
    throw new Fault('forbidden', 'The identity provider did not confirm the sign-in.', { cause });
  }
}

function discover({ issuer, clientId, clientSecret }: OutsideLoginConfig): Promise<oidc.Configuration> {
  const url = new URL(issuer);
  const options = url.protocol === 'http:' && isTrustworthy(issuer) ? { execute: [oidc.allowInsecureRequests] } : {};
  return oidc.discovery(url, clientId, clientSecret, undefined, options);
}

// oidc-provider set up as a SMART authorization server. Everything that is decided here is a setting of the library; the
// rules behind the settings are in the other files of this folder.

import type { AdapterFactory, Configuration, KoaContextWithOIDC, Provider as Library } from 'oidc-provider';
import type { Clock } from '../../clock.ts';
import { fhirBase } from '../../fhir/base-url.ts';
import { LEEWAY_SECONDS } from '../issuer.ts';
import type { Keys } from '../keys.ts';
import type { Accounts } from './accounts.ts';
import { LIBRARY_SCOPES, wordsOf } from './asked-scopes.ts';
import { checkAssertion } from './assertion-rules.ts';
import { createPolicy } from './interaction-policy.ts';
import { INTERACTION_SECONDS } from './launches.ts';
import { Provider } from './library.ts';
import { isSecret, OWN_METADATA } from './registration.ts';
import type { Contexts } from './smart-context.ts';
import { questionOf, type SignedIn, type SmartRules, scopesOf } from './smart-rules.ts';

export interface Endpoints {
  readonly authorize: string;
  readonly token: string;
  readonly introspect: string;
  readonly revoke: string;
  readonly logout: string;
  readonly interaction: string;
  /** Where the site's identity provider sends people back to. */
  readonly callback: string;
  readonly launch: string;
}

/** Paths below the base URL. */
export const ENDPOINTS: Endpoints = {
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  introspect: '/oauth/introspect',
  revoke: '/oauth/revoke',
  logout: '/oauth/logout',
  interaction: '/oauth/interaction',
  callback: '/oauth/callback',
  launch: '/oauth/launch',
};

export const GRANT_SECONDS = 365 * 86_400;
const USER_TOKEN_SECONDS = 3_600;
const SERVICE_TOKEN_SECONDS = 300;

/** The pages that the library itself shows; each writes `ctx.body` and its headers. */
export interface LibraryPages {
  error(ctx: KoaContextWithOIDC, error: { readonly error: string; readonly error_description?: string }): void;
  askLogout(ctx: KoaContextWithOIDC, form: string): void;
  loggedOut(ctx: KoaContextWithOIDC): void;
}

export interface ProviderOptions {
  /** Base URL without trailing slash. */
  readonly issuer: string;
  readonly adapter: AdapterFactory;
  readonly accounts: Accounts;
  readonly contexts: Contexts;
  readonly rules: SmartRules;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly pages: LibraryPages;
}

export function createProvider(options: ProviderOptions): Library {
  const provider: Library = new Provider(
    options.issuer,
    configuration(options, () => provider),
  );
  // Believed because the door writes the headers itself, from the base URL.
  provider.proxy = true;
  provider.Client.prototype.compareClientSecret = function compare(this: { clientSecret?: string }, given: string) {
    return isSecret(given, this.clientSecret ?? '');
  };
  return provider;
}

function configuration(options: ProviderOptions, provider: () => Library): Configuration {
  const { issuer, rules, contexts, keys, clock, pages } = options;
  const base = fhirBase(issuer);
  return {
    adapter: options.adapter,
    clockTolerance: LEEWAY_SECONDS,
    routes: {
      authorization: ENDPOINTS.authorize,
      token: ENDPOINTS.token,
      introspection: ENDPOINTS.introspect,
      revocation: ENDPOINTS.revoke,
      end_session: ENDPOINTS.logout,
    },
    jwks: { keys: [{ ...keys.idToken }] },
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'], idTokenSigningAlgValues: ['RS256'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    assertJwtClientAuthClaimsAndHeader(ctx, claims) {
      checkAssertion(claims, [`${issuer}${ENDPOINTS.token}`, ctx.oidc.urlFor(ctx.oidc.route)], clock);
    },
    extraClientMetadata: { properties: OWN_METADATA, validator: () => {} },
    scopes: LIBRARY_SCOPES,
    claims: { openid: ['sub'], fhirUser: ['fhirUser'], profile: ['fhirUser', 'preferred_username'] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    extraParams: {
      aud: (_ctx, value) => rules.checkAudience(value),
      launch: (_ctx, value, client) => rules.takeLaunch(value, client.clientId),
    },
    findAccount: (_ctx, id, token) => signedIn(options, provider, id, token),
    loadExistingGrant: (ctx) => grantOf(ctx, rules),
    interactions: { policy: createPolicy(rules), url: (_ctx, { uid }) => `${issuer}${ENDPOINTS.interaction}/${uid}` },
    async extraTokenClaims(_ctx, token) {
      if (token.kind !== 'AccessToken') return undefined;
      const { patient, encounter } = await contexts.of(token.grantId);
      const account = await options.accounts.find(token.accountId);
      return defined({ patient, encounter, fhirUser: account && `${base}/${account.fhirUser}` });
    },
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && (source.scopes.has('offline_access') || isOnline(source)),
    rotateRefreshToken: true,
    // Two patients open in the same application are two grants of one session; the library would end the first.
    expiresWithSession: async () => false,
    ttl: {
      AccessToken: USER_TOKEN_SECONDS,
      ClientCredentials: SERVICE_TOKEN_SECONDS,
      AuthorizationCode: 60,
      IdToken: USER_TOKEN_SECONDS,
      RefreshToken: 90 * 86_400,
      Grant: GRANT_SECONDS,
      Interaction: INTERACTION_SECONDS,
      Session: 8 * 3_600,
    },
    cookies: {
      keys: [keys.cookieSecret],
      names: { session: 'baton_session', interaction: 'baton_interaction', resume: 'baton_resume' },
      long: { httpOnly: true, sameSite: 'lax', signed: true },
      short: { httpOnly: true, sameSite: 'lax', signed: true },
    },
    renderError(ctx, out) {
      pages.error(ctx, out as { error: string });
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client) => client.clientAuthMethod !== 'none',
      },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => pages.askLogout(ctx, form),
        postLogoutSuccessSource: (ctx) => pages.loggedOut(ctx),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => base,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: rules.grantableScope(ctx, resource),
          audience: base,
          accessTokenFormat: 'opaque',
        }),
      },
    },
  };
}

/** Undefined, which ends the request, for who is gone or disabled, and when online access outlived its session. */
async function signedIn(
  { accounts, issuer }: ProviderOptions,
  provider: () => Library,
  id: string,
  token: object | undefined,
): Promise<SignedIn | undefined> {
  const account = await accounts.find(id);
  if (!account || account.disabled) return undefined;
  const { scope, sessionUid } = (token ?? {}) as { scope?: string; sessionUid?: string };
  if (scope !== undefined && isOnline({ scopes: new Set(wordsOf(scope)) })) {
    const session = sessionUid === undefined ? undefined : await provider().Session.findByUid(sessionUid);
    if (session?.accountId !== id) return undefined;
  }
  const { fhirUser, username } = account;
  const claims = defined({ fhirUser: `${fhirBase(issuer)}/${fhirUser}`, preferred_username: username });
  return { accountId: id, fhirUser, claims: () => ({ sub: id, ...claims }) };
}

const isOnline = ({ scopes }: { readonly scopes: ReadonlySet<string> }) =>
  scopes.has('online_access') && !scopes.has('offline_access');

/** Each request has a grant of its own, because each has a context of its own. Trusted applications get it unasked. */
async function grantOf(ctx: KoaContextWithOIDC, rules: SmartRules) {
  const { client, account, result, provider } = ctx.oidc;
  const grantId = result?.consent?.grantId;
  if (grantId !== undefined) return provider.Grant.find(grantId);
  if (!client?.isTrusted || !account) return undefined;
  const context = await rules.contextOf(questionOf(ctx));
  if (context === undefined) return undefined;
  const asked = { accountId: account.accountId, clientId: client.clientId, scope: scopesOf(ctx), context };
  return provider.Grant.find(await rules.grantAll(provider, asked));
}

function defined(members: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

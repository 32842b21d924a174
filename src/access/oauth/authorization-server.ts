// Baton's own authorization server put together. It knows no HTTP framework: the door hands it Node's requests.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider as Library } from 'oidc-provider';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.ts';
import { fhirBase } from '../../fhir/base-url.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Store } from '../../store/store.ts';
import type { Claims } from '../claims.ts';
import { createAskIssuer } from '../issuer-http.ts';
import type { Keys } from '../keys.ts';
import { type LastingGrant, scopesOf } from '../lasting-grant.ts';
import { isWithin, parseScopes } from '../scopes.ts';
import { type Accounts, createAccounts } from './accounts.ts';
import { completeAnswers } from './answers.ts';
import { createClientKeys } from './client-keys.ts';
import { type ClientRegistry, createClientRegistry } from './client-registry.ts';
import { createLaunches, type Launches } from './launches.ts';
import { createOutsideLogin, type OutsideLogin, type OutsideLoginConfig } from './outside-login.ts';
import { claimsOf } from './own-tokens.ts';
import type { PasswordCost } from './passwords.ts';
import { createPatientDirectory, type PatientDirectory, type VisiblePatients } from './patient-directory.ts';
import { createProvider, ENDPOINTS, GRANT_SECONDS, type LibraryPages } from './provider.ts';
import type { Registration } from './registration.ts';
import { createContexts } from './smart-context.ts';
import { createSmartRules, type SmartRules } from './smart-rules.ts';
import { createAdapterFactory } from './state-adapter.ts';
import { openStateTable, type StateTable } from './state-table.ts';

export interface AuthorizationServerOptions {
  readonly store: Pick<Store, 'query' | 'commit' | 'read' | 'find' | 'search' | 'audit'>;
  readonly keys: Keys;
  /** Applications of the configuration. */
  readonly clients: readonly Registration[];
  /** The site's identity provider; absent: people sign in with passwords of Baton's. */
  readonly login?: OutsideLoginConfig | undefined;
  /** Public base URL without trailing slash; asked each time because a free port is known late. */
  readonly baseUrl: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pages: LibraryPages;
  /** For tests, which check passwords by the hundred; absent: as much as it should be. */
  readonly passwordCost?: PasswordCost;
  /** For the key sets of clients. */
  readonly fetch?: typeof globalThis.fetch;
  readonly parameters: SearchParameters;
  /** Whom people may open. */
  readonly visiblePatients: VisiblePatients;
}

/** What belongs together for one base URL. */
export interface Running {
  readonly provider: Library;
  readonly rules: SmartRules;
  /** Answers a request of the library's endpoints. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface AuthorizationServer {
  readonly clients: ClientRegistry;
  readonly accounts: Accounts;
  readonly launches: Launches;
  readonly directory: PatientDirectory;
  readonly state: StateTable;
  /** Absent: people sign in with passwords of Baton's. */
  readonly outsideLogin: OutsideLogin | undefined;
  /** The library, set up for the base URL as it is now. */
  running(): Running;
  /** For the resource server: the claims of one of this server's opaque tokens. */
  resolveOwn(token: string): Promise<Claims | undefined>;
  /** Whether a client is one of ours now. */
  isRegistered(client: string): Promise<boolean>;
  /** Whether what was granted still is, for what goes on without its token. */
  stands(kept: LastingGrant): Promise<boolean>;
  /** Forgets what has expired; called now and then. */
  sweep(): Promise<void>;
}

/** @throws RegistrationError for a client of the configuration that cannot work */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const { store, keys, baseUrl, clock, log } = options;
  const state = openStateTable(store, clock);
  const keysAt = createClientKeys(clock, createAskIssuer({ fetch: options.fetch }), log);
  const clients = createClientRegistry({ store, table: state, configured: options.clients, keysAt });
  const accounts = createAccounts(store, state, options.passwordCost);
  const launches = createLaunches(state, clients, clock, baseUrl);
  const directory = createPatientDirectory(options);
  const contexts = createContexts(state);
  const callback = () => `${baseUrl()}${ENDPOINTS.callback}`;
  const outsideLogin =
    options.login && createOutsideLogin(options.login, { table: state, accounts, clock, issuer: baseUrl, callback });
  const grantEnd = () => Math.floor(clock.real().epochMilliseconds / 1000) + GRANT_SECONDS;

  const start = (issuer: string): Running => {
    const rules = createSmartRules({ fhirBase: fhirBase(issuer), launches, contexts, directory, grantEnd });
    const adapter = createAdapterFactory(state, clients, clock);
    const provider = createProvider({ issuer, adapter, accounts, contexts, rules, keys, clock, pages: options.pages });
    completeAnswers(provider, { contexts, audit: store.audit.bind(store), log });
    const handle = provider.callback() as Running['handle'];
    return { provider, rules, handle };
  };
  let current: { readonly issuer: string; readonly running: Running } | undefined;
  const running = (): Running => {
    const issuer = baseUrl();
    if (current?.issuer !== issuer) current = { issuer, running: start(issuer) };
    return current.running;
  };
  return {
    clients,
    accounts,
    launches,
    directory,
    state,
    outsideLogin,
    running,
    resolveOwn: (token) => claimsOf({ provider: running().provider, issuer: baseUrl(), clients, accounts }, token),
    isRegistered: async (client) => (await clients.find(client)) !== undefined,
    async stands(kept) {
      const { client = '', isRegistered, authorization } = kept;
      const registration = isRegistered ? await clients.find(client) : undefined;
      if (isRegistered && !registration) return false;
      if (registration && !isWithin(scopesOf(kept), parseScopes(registration.scope))) return false;
      return authorization === undefined || state.stands('Grant', authorization);
    },
    sweep: () => state.sweep(),
  };
}

// A whole server for a test: real store on a real file, real access, tokens for whatever scope a test needs.
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import type { Access } from '../../src/access/access.ts';
import { createAccessControl } from '../../src/access/access-control.ts';
import { readLabelPolicy } from '../../src/access/label-policy.ts';
import type { AuthorizationServer } from '../../src/access/oauth/authorization-server.ts';
import { loadRoles } from '../../src/access/role.ts';
import { FULL_SCOPE } from '../../src/access/scopes.ts';
import { loadTypeGroups } from '../../src/access/type-groups.ts';
import { loadCalendars } from '../../src/care/business-calendar.ts';
import { loadPanels } from '../../src/care/panels/panels.ts';
import { createPathways } from '../../src/care/pathways/pathways.ts';
import { systemClock } from '../../src/clock.ts';
import { LIBRARY_PAGES } from '../../src/server/oauth/library-pages.ts';
import { createServer, type ServerOptions } from '../../src/server/server.ts';
import { createSearchEngine } from '../../src/store/search/search-engine.ts';
import type { SqlRow } from '../../src/store/store.ts';
import { testDefinitions, testParameters, testProfiles, testValidate } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { testKeys } from '../support/test-keys.ts';

export const BASE = 'http://127.0.0.1:8080';
export const FHIR = `${BASE}/fhir/R4`;

export const PROFILES = testProfiles;
const pathways = createPathways(
  PROFILES,
  loadCalendars(join(import.meta.dirname, '../../profiles/calendars')).get('us-federal'),
  () => ({ now: systemClock().now(), zone: 'UTC' }),
);
const panels = loadPanels(join(import.meta.dirname, '../../profiles'));
export const PARAMETERS = testParameters;
const groups = loadTypeGroups(join(import.meta.dirname, '../../profiles/type-groups.json'), PARAMETERS);
export const LABELS = readLabelPolicy(join(import.meta.dirname, '../../profiles/access/consent-policy.json'));
export const ROLES = loadRoles(join(import.meta.dirname, '../../profiles/roles'), groups, PARAMETERS);

export interface Answer {
  readonly status: number;
  readonly headers: LightMyRequestResponse['headers'];
  readonly text: string;
  /** The body as JSON, loosely typed: tests look into it freely. */
  readonly json: Json;
}

/** The parts of resources and Bundles that tests look at. */
export interface Json {
  readonly resourceType?: string;
  readonly id?: string;
  readonly meta?: {
    readonly versionId?: string;
    readonly lastUpdated?: string;
    readonly tag?: { readonly code: string }[];
    readonly profile?: readonly string[];
  };
  readonly type?: string;
  readonly total?: number;
  readonly link?: { readonly relation: string; readonly url: string }[];
  readonly entry?: Entry[];
  readonly issue?: {
    readonly code: string;
    readonly expression?: string[];
    readonly details?: { readonly text: string };
  }[];
  readonly [name: string]: unknown;
}

export interface Entry {
  readonly fullUrl?: string;
  readonly resource?: Json;
  readonly search?: { readonly mode: string };
  readonly request?: { readonly method: string; readonly url: string };
  readonly response?: {
    readonly status: string;
    readonly location?: string;
    readonly etag?: string;
    readonly lastModified?: string;
    readonly outcome?: Json;
  };
}

export interface TestServer {
  readonly server: FastifyInstance;
  readonly temp: TempStore;
  readonly access: Access;
  /** A token for the scope and, with `patient`, the patient in context. */
  token(scope: string, patient?: string): Promise<string>;
  /** A token for a person, e.g. `Practitioner/1`. */
  tokenOf(user: string, scope: string, patient?: string): Promise<string>;
  /** Sends a request below the FHIR base; with full access unless `as` gives another token. */
  fhir(method: Method, path: string, more?: RequestExtras): Promise<Answer>;
  /** The same for any path. */
  send(method: Method, path: string, more?: RequestExtras): Promise<Answer>;
  /** Audit rows, oldest first, as soon as they are written. */
  audited(): Promise<SqlRow[]>;
  close(): Promise<void>;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RequestExtras {
  /** An object is sent as FHIR JSON, text as it is. */
  readonly body?: object | string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** A token; '' sends none. */
  readonly as?: string;
}

/** What overrides can be made from. */
export interface Made {
  readonly temp: TempStore;
  readonly access: Access;
  readonly authorization: AuthorizationServer;
}

/**
 * @param given overrides, or what makes them from the store that the server will have
 * @param more overrides that need who may do what
 */
export async function serve(
  given: Partial<ServerOptions> | ((temp: TempStore) => Partial<ServerOptions>) = {},
  more: (made: Made) => Partial<ServerOptions> = () => ({}),
): Promise<TestServer> {
  const temp = await openTempStore({ searchEngine: createSearchEngine({ parameters: PARAMETERS, baseUrl: FHIR }) });
  const options = typeof given === 'function' ? given(temp) : given;
  const { clock } = temp;
  const keys = await testKeys();
  const log = pino({ level: 'silent' });
  const store = options.store ?? temp.store;
  const { access, authorization } = createAccessControl({
    mode: 'smart',
    ...{ store, parameters: PARAMETERS, roles: ROLES, labelPolicy: LABELS, keys, clock, log },
    issuers: [],
    clients: [],
    baseUrl: () => BASE,
    pages: LIBRARY_PAGES,
  });
  const server = await createServer({
    store,
    parameters: PARAMETERS,
    definitions: testDefinitions,
    validate: testValidate,
    pathways,
    panels,
    access,
    labelPolicy: LABELS,
    authorization,
    clock,
    log,
    baseUrl: () => BASE,
    version: '0.0.0-test',
    ...options,
    ...more({ temp, access, authorization }),
  });
  const token = (scope: string, patient?: string) =>
    access.issue({ clientId: 'tester', scope, lifetimeSeconds: 300, ...(patient ? { patient } : {}) });
  const tokenOf = (fhirUser: string, scope: string, patient?: string) =>
    access.issue({ clientId: 'app', fhirUser, scope, lifetimeSeconds: 300, ...(patient ? { patient } : {}) });
  const everything = await token(FULL_SCOPE);

  const send = async (method: Method, path: string, { body, headers, as = everything }: RequestExtras = {}) => {
    const payload = typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body;
    const request: InjectOptions = {
      method,
      url: path,
      headers: {
        ...(as === '' ? {} : { authorization: `Bearer ${as}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
    };
    return answerOf(await server.inject(request));
  };

  return {
    server,
    temp,
    access,
    token,
    tokenOf,
    send,
    fhir: (method, path, more) => send(method, `/fhir/R4${path}`, more),
    async audited() {
      // The hook that audits runs when the answer has been sent; waiting rows are written with the next commit.
      await setImmediate();
      const flush = { sql: 'UPDATE setting SET value = value', params: [] };
      await temp.store.commit({ reference: 'test', kind: 'service' }, [], [flush]);
      return temp.store.query('SELECT * FROM audit ORDER BY sequence');
    },
    async close() {
      await server.close();
      await temp.cleanup();
    },
  };
}

function answerOf(response: LightMyRequestResponse): Answer {
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    get json() {
      return JSON.parse(response.body);
    },
  };
}

// A whole server that really listens, with its authorization server, people, patients and applications.
import { createHash, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import { pino } from 'pino';
import type { Access } from '../../../src/access/access.ts';
import { createAccessControl } from '../../../src/access/access-control.ts';
import { createFailedAttempts } from '../../../src/access/failed-attempts.ts';
import type { Keys } from '../../../src/access/keys.ts';
import type {
  AuthorizationServer,
  AuthorizationServerOptions,
} from '../../../src/access/oauth/authorization-server.ts';
import { hashSecret, type Registration } from '../../../src/access/oauth/registration.ts';
import { LIBRARY_PAGES } from '../../../src/server/oauth/library-pages.ts';
import { createServer } from '../../../src/server/server.ts';
import type { SqlRow } from '../../../src/store/store.ts';
import { testDefinitions, testValidate } from '../../support/store-rules.ts';
import { openTempStore, type TempStore } from '../../support/temp-store.ts';
import { testKeys } from '../../support/test-keys.ts';
import { LABELS, PARAMETERS, ROLES } from '../serve.ts';

export const APP = 'http://127.0.0.1:9/app';
export const PASSWORD = 'correct horse battery';
export const SECRET = 'a secret that nobody can guess';
/** What a password is to cost is tried in access/oauth/passwords.test.ts. */
const CHEAP = { N: 2, r: 1, p: 1 } as const;
const ACTOR = { reference: 'test', kind: 'service' } as const;

/** Keys of the clients that sign, by algorithm. */
export interface ClientKeys {
  readonly privateKeys: Readonly<Record<string, CryptoKey>>;
  readonly jwks: { readonly keys: JWK[] };
}

export async function makeClientKeys(...algorithms: string[]): Promise<ClientKeys> {
  const privateKeys: Record<string, CryptoKey> = {};
  const keys: JWK[] = [];
  for (const alg of algorithms) {
    const pair = await generateKeyPair(alg, { extractable: true });
    privateKeys[alg] = pair.privateKey;
    keys.push({ ...(await exportJWK(pair.publicKey)), kid: alg, alg });
  }
  return { privateKeys, jwks: { keys } };
}

export const APP_SCOPE =
  'openid fhirUser profile launch launch/patient launch/encounter offline_access online_access patient/*.rs user/*.cruds';

export const registered = (clientId: string, more: Partial<Registration> = {}): Registration => ({
  clientId,
  name: `The ${clientId} app`,
  scope: APP_SCOPE,
  redirectUris: [APP],
  launchUrl: `${APP}/launch`,
  trusted: false,
  ...more,
});

export interface World {
  readonly temp: TempStore;
  readonly base: string;
  readonly fhirBase: string;
  /** Where it really listens: `base`, unless it is a second process. */
  readonly listeningAt: string;
  readonly access: Access;
  readonly authorization: AuthorizationServer;
  readonly keys: Keys;
  /** Rows of the audit trail of one interaction, oldest first. */
  audited(interaction: string): Promise<SqlRow[]>;
  /** Stops the server and the store's connection and starts both again on the same address. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly clients?: readonly Registration[];
  readonly login?: AuthorizationServerOptions['login'];
  /** Failed attempts are counted, and no waiting time ever ends: how long a password takes to check is the machine's affair. */
  readonly attempts?: boolean;
  /** The public address, when something stands in front. */
  readonly publicBase?: string;
  /** On the database of another world, with its address and its keys: a second process. */
  readonly beside?: World;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const { clients = standardClients(), login, publicBase, beside } = options;
  const temp = beside?.temp ?? (await openTempStore());
  const keys = beside?.keys ?? (await testKeys());
  const log = pino({ level: 'silent' });
  let base = beside?.base ?? publicBase ?? '';
  let listeningAt = '';
  let parts: { app: FastifyInstance; access: Access; authorization: AuthorizationServer };

  const start = async (port: number) => {
    const { store, clock } = temp;
    const baseUrl = () => base;
    const { access, authorization } = createAccessControl({
      mode: 'smart',
      ...{ store, parameters: PARAMETERS, roles: ROLES, labelPolicy: LABELS, keys, clock, log },
      ...{ issuers: [], clients, login, baseUrl, pages: LIBRARY_PAGES, passwordCost: CHEAP },
    });
    const rules = { parameters: PARAMETERS, definitions: testDefinitions, validate: testValidate };
    const rest = { ...rules, clock, log, baseUrl, version: '0.0.0-test' };
    const still = clock.real();
    const attempts = options.attempts
      ? { attempts: createFailedAttempts({ now: () => still, real: () => still }) }
      : {};
    const app = await createServer({ store, access, authorization, ...rest, ...attempts });
    await app.listen({ host: '127.0.0.1', port });
    listeningAt = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    if (base === '') base = listeningAt;
    parts = { app, access, authorization };
  };
  await start(0);
  if (!beside) await populate();

  /** A practitioner, two patients with encounters, a related person, and accounts for them. */
  async function populate(): Promise<void> {
    // p3 is in nobody's care.
    const patient = (id: string, given: string, family: string) => ({
      resourceType: 'Patient' as const,
      id,
      generalPractitioner: [{ reference: 'Organization/ward' }],
      name: [{ given: [given], family }],
      birthDate: '1950-05-12',
      identifier: [{ system: 'urn:mrn', value: `MRN-${id}` }],
    });
    const encounter = (id: string, patientId: string) => ({
      resourceType: 'Encounter' as const,
      id,
      status: 'finished' as const,
      class: { code: 'IMP', display: 'inpatient encounter' },
      subject: { reference: `Patient/${patientId}` },
      period: { start: '2026-11-01T08:00:00Z' },
    });
    const resources = [
      patient('p1', 'Eleanor', 'Okafor'),
      patient('p2', 'Samuel', 'Okafor'),
      encounter('e1', 'p1'),
      encounter('e2', 'p2'),
      { resourceType: 'Patient' as const, id: 'p3', name: [{ given: ['Olga'], family: 'Okafor' }] },
      { resourceType: 'Organization' as const, id: 'ward', name: 'Ward' },
      ...['dr1', 'dr2'].flatMap((id) => [
        { resourceType: 'Practitioner' as const, id, name: [{ family: id === 'dr1' ? 'Grey' : 'Shaw' }] },
        {
          resourceType: 'PractitionerRole' as const,
          id,
          active: true,
          practitioner: { reference: `Practitioner/${id}` },
          organization: { reference: 'Organization/ward' },
          code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'physician' }] }],
        },
      ]),
      { resourceType: 'RelatedPerson' as const, id: 'rp1', active: true, patient: { reference: 'Patient/p2' } },
    ];
    await temp.store.commit(
      ACTOR,
      resources.map((resource) => ({ op: 'update' as const, resource })),
      [],
      { transaction: true },
    );
    const { accounts } = parts.authorization;
    await accounts.add(ACTOR, 'grey', 'Practitioner/dr1', PASSWORD);
    await accounts.add(ACTOR, 'shaw', 'Practitioner/dr2', PASSWORD);
    await accounts.add(ACTOR, 'eleanor', 'Patient/p1', PASSWORD);
    await accounts.add(ACTOR, 'daughter', 'RelatedPerson/rp1', PASSWORD);
  }

  return {
    temp,
    keys,
    get base() {
      return base;
    },
    get listeningAt() {
      return listeningAt;
    },
    get fhirBase() {
      return `${base}/fhir/R4`;
    },
    get access() {
      return parts.access;
    },
    get authorization() {
      return parts.authorization;
    },
    async audited(interaction) {
      await temp.store.commit(ACTOR, [], [{ sql: 'UPDATE setting SET value = value', params: [] }]);
      return temp.store.query('SELECT * FROM audit WHERE interaction = ? ORDER BY sequence', [interaction]);
    },
    async restart() {
      await parts.app.close();
      await temp.reopen();
      await start(Number(new URL(base).port));
    },
    async close() {
      await parts.app.close();
      if (!beside) await temp.cleanup();
    },
  };
}

export function standardClients(): Registration[] {
  const secretHash = hashSecret(SECRET);
  return [
    registered('public'),
    registered('other'),
    registered('secret', { secretHash }),
    registered('trusted', { secretHash, trusted: true }),
    registered('narrow', { scope: 'launch/patient patient/Observation.rs?category=laboratory' }),
    registered('no-launch', { launchUrl: undefined }),
  ];
}

export interface Pkce {
  readonly verifier: string;
  readonly challenge: string;
}

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

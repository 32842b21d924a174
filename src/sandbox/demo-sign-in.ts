// Somebody to sign in as, and two applications to sign in to, so that a developer can try a SMART launch at once. The
// password and the secret are random, made at the first start, and kept in a file that only its owner can read.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AuthorizationServer } from '../access/oauth/authorization-server.ts';
import { hashSecret, newSecret, type Registration } from '../access/oauth/registration.ts';
import { FACILITY_SYSTEM } from '../intake/map/systems.ts';
import type { Actor, Store } from '../store/store.ts';
import { readJsonFile, writeJsonFile } from './durable-file.ts';
import { SANDBOX_FACILITY } from './sandbox-config.ts';

export interface DemoSignIn {
  /** Two lines for the terminal. */
  readonly lines: readonly string[];
}

interface Secrets {
  readonly username: string;
  readonly password: string;
  readonly publicClient: string;
  readonly confidentialClient: string;
  readonly clientSecret: string;
}

const ACTOR: Actor = { reference: 'Device/baton-sandbox', kind: 'service' };
const FILE = 'sandbox-sign-in.json';
const FHIR_USER = 'Practitioner/sandbox-demo';
const HOSPITAL_URL = 'urn:uuid:5c2f3b0e-6f0a-4a55-9c3a-8b1d3f0a7e21';
const SCOPE =
  'openid fhirUser profile launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds';
/** Where development servers usually are. */
const REDIRECTS = [3000, 5173, 8000].flatMap((port) =>
  ['localhost', '127.0.0.1'].flatMap((host) => [`http://${host}:${port}/`, `http://${host}:${port}/callback`]),
);

/** @param dataDir undefined (database in memory) makes new ones at each start */
export async function openDemoSignIn(
  { accounts, clients }: Pick<AuthorizationServer, 'accounts' | 'clients'>,
  store: Pick<Store, 'read' | 'commit'>,
  dataDir: string | undefined,
): Promise<DemoSignIn> {
  const path = dataDir && join(dataDir, FILE);
  const known = path === undefined ? undefined : (readJsonFile(path) as Secrets | undefined);
  const secrets = known ?? newSecrets();
  if (path !== undefined && !known) writeJsonFile(path, secrets);
  await ensureSupervisor(store);
  await ensureAccount(accounts, secrets);
  const secretHash = hashSecret(secrets.clientSecret);
  await ensureClient(clients, clientOf(secrets.publicClient, 'Demo app'));
  await ensureClient(
    clients,
    { ...clientOf(secrets.confidentialClient, 'Demo app with a server'), secretHash },
    !known,
  );
  const where = path === undefined ? `password ${secrets.password}` : `the password is in ${path}`;
  return {
    lines: [
      `Try a SMART app (on port 3000, 5173 or 8000): client ${secrets.publicClient} or ${secrets.confidentialClient};`,
      `sign in as ${secrets.username}, ${where}.`,
    ],
  };
}

const newSecrets = (): Secrets => ({
  username: 'demo',
  password: randomBytes(12).toString('base64url'),
  publicClient: 'demo-public',
  confidentialClient: 'demo-confidential',
  clientSecret: newSecret(),
});

const clientOf = (clientId: string, name: string): Registration => ({
  clientId,
  name,
  scope: SCOPE,
  redirectUris: REDIRECTS,
  launchUrl: 'http://localhost:3000/launch.html',
  trusted: false,
});

async function ensureSupervisor(store: Pick<Store, 'read' | 'commit'>): Promise<void> {
  const [resourceType, id] = FHIR_USER.split('/') as ['Practitioner', string];
  if (await store.read('PractitionerRole', id)) return;
  const { code, name } = SANDBOX_FACILITY;
  const hospital = { system: FACILITY_SYSTEM, value: code };
  const role = { system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'supervisor' };
  await store.commit(ACTOR, [
    { op: 'update', resource: { resourceType, id, name: [{ given: ['Dana'], family: 'Demo' }] } },
    {
      // The hospital's messages will find it by its identifier.
      op: 'create',
      fullUrl: HOSPITAL_URL,
      ifNoneExist: `identifier=${hospital.system}|${hospital.value}`,
      resource: { resourceType: 'Organization', identifier: [hospital], active: true, name },
    },
    {
      op: 'update',
      resource: {
        resourceType: 'PractitionerRole',
        id,
        active: true,
        practitioner: { reference: FHIR_USER },
        organization: { reference: HOSPITAL_URL },
        code: [{ coding: [role] }],
      },
    },
  ]);
}

/** The file decides: a database that was restored, or a file that was deleted, gets the password of the file. */
async function ensureAccount(
  accounts: AuthorizationServer['accounts'],
  { username, password }: Secrets,
): Promise<void> {
  const isThere = (await accounts.list()).some((account) => account.username === username);
  if (!isThere) await accounts.add(ACTOR, username, FHIR_USER, password);
  else if (!(await accounts.verify(username, password))) await accounts.setPassword(ACTOR, username, password);
}

async function ensureClient(
  clients: AuthorizationServer['clients'],
  client: Registration,
  isNew = false,
): Promise<void> {
  const there = await clients.find(client.clientId);
  if (there && isNew) await clients.remove(ACTOR, client.clientId);
  if (!there || isNew) await clients.add(ACTOR, client);
}

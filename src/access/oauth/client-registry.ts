// The applications that may ask for tokens: those of the configuration, and those that `baton client add` put into the
// database. Read for every request, so that a removed one is gone at once in every process.
import type { JWK } from 'jose';
import type { AdapterPayload } from 'oidc-provider';
import { Fault } from '../../fault.ts';
import type { Actor, Store } from '../../store/store.ts';
import { checkRegistration, metadataOf, type Registration } from './registration.ts';
import type { StateTable } from './state-table.ts';

export interface ClientRegistry {
  find(clientId: string): Promise<Registration | undefined>;
  list(): Promise<Registration[]>;
  /** @throws RegistrationError, Fault conflict when the id is taken */
  add(actor: Actor, client: Registration): Promise<void>;
  /** Also takes back everything it was handed. @throws Fault not-found, conflict for one of the configuration */
  remove(actor: Actor, clientId: string): Promise<void>;
  /** As oidc-provider wants it. */
  metadata(clientId: string): Promise<AdapterPayload | undefined>;
}

export interface ClientRegistryOptions {
  readonly store: Pick<Store, 'query' | 'commit'>;
  readonly table: StateTable;
  /** Those of the configuration. */
  readonly configured: readonly Registration[];
  readonly keysAt: (url: string) => Promise<readonly JWK[]>;
}

export function createClientRegistry({ store, table, configured, keysAt }: ClientRegistryOptions): ClientRegistry {
  const fixed = new Map(configured.map((client) => [client.clientId, checkRegistration(client)]));

  const find = async (clientId: string): Promise<Registration | undefined> => {
    const known = fixed.get(clientId);
    if (known) return known;
    const [row] = await store.query('SELECT registration FROM oauth_client WHERE id = ?', [clientId]);
    return row && JSON.parse(String(row.registration));
  };
  return {
    find,
    async list() {
      const rows = await store.query('SELECT registration FROM oauth_client ORDER BY id');
      return [...fixed.values(), ...rows.map((row): Registration => JSON.parse(String(row.registration)))];
    },
    async add(actor, client) {
      checkRegistration(client);
      const taken = new Fault('conflict', `There is a client ${client.clientId} already.`);
      if (fixed.has(client.clientId)) throw taken;
      const sql = 'INSERT INTO oauth_client (id, registration) VALUES (?, ?) ON CONFLICT (id) DO NOTHING';
      const insert = { sql, params: [client.clientId, JSON.stringify(client)], rows: 1 };
      await store.commit(actor, [], [insert]).catch((error) => {
        throw error instanceof Fault && error.kind === 'conflict' ? taken : error;
      });
    },
    async remove(actor, clientId) {
      if (fixed.has(clientId)) {
        throw new Fault('conflict', `${clientId} is registered in the file of BATON_CONFIG; remove it there.`);
      }
      if (!(await find(clientId))) throw new Fault('not-found', `There is no client ${clientId}.`);
      await store.commit(actor, [], [{ sql: 'DELETE FROM oauth_client WHERE id = ?', params: [clientId] }]);
      await table.removeOf('client', clientId);
    },
    async metadata(clientId) {
      const client = await find(clientId);
      if (!client) return undefined;
      const keys = client.jwksUrl === undefined ? (client.jwks?.keys ?? []) : await keysAt(client.jwksUrl);
      return metadataOf(client, keys);
    },
  };
}

// How oidc-provider stores its models in Baton's table. What may be used once is used up atomically here: the library
// itself looks first and marks afterwards, which two requests at the same moment would both survive.
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import type { Clock } from '../../clock.ts';
import type { ClientRegistry } from './client-registry.ts';
import { errors } from './library.ts';
import type { NewState, StateRow, StateTable } from './state-table.ts';

/** Models that a grant carries, and that go with it. */
const OF_A_GRANT = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

export function createAdapterFactory(table: StateTable, clients: ClientRegistry, clock: Clock): AdapterFactory {
  const now = () => Math.floor(clock.real().epochMilliseconds / 1000);
  return (model) => (model === 'Client' ? clientAdapter(clients) : stateAdapter(model, table, now));
}

function stateAdapter(model: string, table: StateTable, now: () => number): Adapter {
  return {
    async upsert(id, payload, expiresIn) {
      const state = stateOf(model, id, payload, now() + (expiresIn ?? 0));
      if (model !== 'ReplayDetection') return table.put(model, id, state);
      if (!(await table.putNew(model, id, state))) throw new errors.InvalidClientAuth('the assertion was used before');
    },
    find: async (id) => payloadOf(await table.find(model, id), id),
    findByUid: async (uid) => payloadOf(await table.findByUid(model, uid), undefined),
    findByUserCode: async () => undefined,
    async consume(id) {
      if (!(await table.consume(model, id)))
        throw new errors.InvalidGrant('used by another request at the same moment');
    },
    destroy: (id) => (model === 'Grant' ? table.removeGrant(id) : table.remove(model, id)),
    revokeByGrantId: (grantId) => table.removeGrant(grantId, model),
  };
}

/** Everything about an identifier that lets somebody use it stays out of the payload. */
function stateOf(model: string, id: string, given: AdapterPayload, expires: number): NewState {
  const { jti: _, ...payload } = given;
  if (payload.session) payload.session = { ...payload.session, cookie: '' };
  const grantId = model === 'Grant' ? id : OF_A_GRANT.has(model) ? payload.grantId : undefined;
  return { payload, expires, uid: payload.uid, grantId, client: payload.clientId, account: payload.accountId };
}

function payloadOf(row: StateRow | undefined, id: string | undefined): AdapterPayload | undefined {
  if (!row) return undefined;
  const consumed = row.consumed === undefined ? {} : { consumed: row.consumed };
  return { ...row.payload, ...consumed, ...(id === undefined ? {} : { jti: id }) };
}

function clientAdapter(clients: ClientRegistry): Adapter {
  const refuse = async () => {
    throw new Error('Clients are registered by configuration and by command only.');
  };
  return {
    find: (id) => clients.metadata(id),
    upsert: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
    findByUid: refuse,
    findByUserCode: refuse,
  };
}

// The audit record of one exchange with an external server, whatever comes of it. It is in the trail no later than the commit
// that takes the exchange into the message log.
import type { Exchange } from '../../remote/fhir-client.ts';
import type { Actor, AuditRecord, Store } from '../../store/store.ts';
import { actorOf, type Connection } from '../connections/settings.ts';

/** The local resource that an exchange is about. */
export interface Exchanged {
  readonly type: string;
  readonly localId: string;
}

/** Between whom. */
interface Exchanging {
  readonly store: Pick<Store, 'audit'>;
  readonly connection: Connection;
  readonly remote: { readonly baseUrl: string };
}

const WRITES = { POST: ['create', 'C'], PUT: ['update', 'U'], PATCH: ['patch', 'U'], DELETE: ['delete', 'D'] } as const;
const TOKEN = ['token', 'E'] as const;
const MOST_QUERY = 4_000;

export function auditExchange(
  { store, connection, remote }: Exchanging,
  runId: string,
  exchange: Exchange,
  about: Exchanged | undefined,
): void {
  const { url, status = 0 } = exchange;
  const path = url.startsWith(remote.baseUrl) ? url.slice(remote.baseUrl.length).replace(/^\//, '') : url;
  const [interaction, action] = exchange.kind === 'token' ? TOKEN : interactionOf(exchange.method, path);
  const type = about?.type ?? /^[A-Z][A-Za-z]+/.exec(path)?.[0];
  const actor: Actor = { ...actorOf(connection, runId), address: remote.baseUrl };
  const record: AuditRecord = {
    actor,
    interaction: `sync-${interaction}`,
    action,
    status,
    ...(type === undefined ? {} : { type }),
    ...(about === undefined ? { patients: [] } : { id: about.localId }),
    query: askedOf(type, path).slice(0, MOST_QUERY),
  };
  store.audit(record);
}

/** What is asked about a type, as for searches here: the record has the type already. */
function askedOf(type: string | undefined, path: string): string {
  const search = `${type}?`;
  return path.startsWith(search) ? path.slice(search.length) : path;
}

/** @param path below the remote's base */
function interactionOf(method: Exchange['method'], path: string): readonly [string, AuditRecord['action']] {
  if (method === 'GET') {
    if (path === 'metadata') return ['capabilities', 'R'];
    if (/^[A-Z][A-Za-z]+\/_history\b/.test(path)) return ['history-type', 'R'];
    if (/^[A-Z][A-Za-z]+\/[^/?]+$/.test(path)) return ['read', 'R'];
    // The pages of a search are searches, too, whatever their address looks like.
    return ['search-type', 'E'];
  }
  if (method === 'POST' && path.endsWith('$match')) return ['match', 'E'];
  if (method === 'POST' && path === '') return ['transaction', 'E'];
  return WRITES[method];
}

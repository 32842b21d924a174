// The table that holds what the authorization server hands out. Identifiers are hashed on the way in, so that a copy of the
// database lets nobody use a code, a token or a session.

import { hash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import { BATON, type SqlRow, type SqlValue, type Statement, type Store } from '../../store/store.ts';

/** What Baton keeps beside the library's own models. */
export type OwnModel = 'Context' | 'Launch' | 'OutsideLogin';

export interface StateRow {
  readonly payload: Readonly<Record<string, unknown>>;
  /** Seconds of the epoch; undefined when it was not used yet. */
  readonly consumed: number | undefined;
}

export interface NewState {
  readonly payload: object;
  /** Seconds of the epoch. */
  readonly expires: number;
  readonly uid?: string | undefined;
  readonly grantId?: string | undefined;
  readonly client?: string | undefined;
  readonly account?: string | undefined;
}

export interface StateTable {
  /** Also what has expired or was used; the caller decides what that means. */
  find(model: string, id: string): Promise<StateRow | undefined>;
  findByUid(model: string, uid: string): Promise<StateRow | undefined>;
  put(model: string, id: string, state: NewState): Promise<void>;
  /** False when it is there already, whoever put it. */
  putNew(model: string, id: string, state: NewState): Promise<boolean>;
  /** True for exactly one of all callers, in whatever process. `expires` gives it a new end. */
  consume(model: string, id: string, expires?: number): Promise<boolean>;
  remove(model: string, id: string): Promise<void>;
  removeByUid(model: string, uid: string): Promise<void>;
  /** Everything of the grant, or only one model of it. */
  removeGrant(grantId: string, model?: string): Promise<void>;
  /** Whether something of the model with this hash is there, has not expired, and its account is not disabled. */
  stands(model: string, hashOfId: string): Promise<boolean>;
  /** Everything that was handed to the client or for the account. */
  removeOf(owner: 'client' | 'account', id: string): Promise<void>;
  /** Calls `listener` after something that may have been usable was removed. */
  onRemoved(listener: () => void): void;
  /** Forgets what nobody can use any more. */
  sweep(): Promise<void>;
}

/** The library tolerates clocks that differ; rows stay a little longer than that. */
const GRACE_SECONDS = 300;

const COLUMNS = 'model, id, payload, expires, uid, grant_id, client, account';
const INSERT = `INSERT INTO oauth_state (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, id)`;
const UPSERT = `${INSERT} DO UPDATE SET payload = excluded.payload, expires = excluded.expires, uid = excluded.uid,
  grant_id = excluded.grant_id, client = excluded.client, account = excluded.account`;
const INSERT_NEW = `${INSERT} DO NOTHING`;
const CONSUME = 'UPDATE oauth_state SET consumed = ? WHERE model = ? AND id = ? AND consumed IS NULL';
const CONSUME_AND_KEEP = `UPDATE oauth_state SET consumed = ?, expires = ?
  WHERE model = ? AND id = ? AND consumed IS NULL`;

export function openStateTable(store: Pick<Store, 'query' | 'commit'>, clock: Clock): StateTable {
  const now = () => Math.floor(clock.real().epochMilliseconds / 1000);
  const change = (sql: string, params: readonly SqlValue[]) => commit({ sql, params });
  const commit = async (statement: Statement) => {
    await store.commit(BATON, [], [statement]);
  };
  const listeners: (() => void)[] = [];
  const take = async (sql: string, params: readonly SqlValue[]) => {
    await change(sql, params);
    for (const listener of listeners) listener();
  };
  /** Whether the statement changed its one row. */
  const changesOne = async (sql: string, params: readonly SqlValue[]) => {
    try {
      await commit({ sql, params, rows: 1 });
      return true;
    } catch (error) {
      if (error instanceof Fault && error.kind === 'conflict') return false;
      throw error;
    }
  };
  const one = async (where: string, params: readonly SqlValue[]) => {
    const [row] = await store.query(`SELECT payload, consumed FROM oauth_state WHERE ${where}`, params);
    return row && rowOf(row);
  };
  return {
    find: (model, id) => one('model = ? AND id = ?', [model, hashedId(id)]),
    findByUid: (model, uid) => one('model = ? AND uid = ?', [model, hashedId(uid)]),
    put: (model, id, state) => change(UPSERT, valuesOf(model, id, state)),
    putNew: (model, id, state) => changesOne(INSERT_NEW, valuesOf(model, id, state)),
    consume: (model, id, expires) =>
      expires === undefined
        ? changesOne(CONSUME, [now(), model, hashedId(id)])
        : changesOne(CONSUME_AND_KEEP, [now(), expires, model, hashedId(id)]),
    remove: (model, id) => take('DELETE FROM oauth_state WHERE model = ? AND id = ?', [model, hashedId(id)]),
    removeByUid: (model, uid) => take('DELETE FROM oauth_state WHERE model = ? AND uid = ?', [model, hashedId(uid)]),
    removeGrant: (grantId, model) =>
      model === undefined
        ? take('DELETE FROM oauth_state WHERE grant_id = ?', [hashedId(grantId)])
        : take('DELETE FROM oauth_state WHERE grant_id = ? AND model = ?', [hashedId(grantId), model]),
    async stands(model, hashOfId) {
      const sql = `SELECT 1 AS found FROM oauth_state WHERE model = ? AND id = ? AND expires > ?
        AND (account IS NULL OR EXISTS (SELECT 1 FROM oauth_account WHERE id = oauth_state.account AND disabled = 0))`;
      return (await store.query(sql, [model, hashOfId, now()])).length > 0;
    },
    removeOf: (owner, id) => take(`DELETE FROM oauth_state WHERE ${owner} = ?`, [id]),
    onRemoved: (listener) => void listeners.push(listener),
    async sweep() {
      const before = now() - GRACE_SECONDS;
      const [row] = await store.query('SELECT 1 AS found FROM oauth_state WHERE expires < ? LIMIT 1', [before]);
      if (row) await change('DELETE FROM oauth_state WHERE expires < ?', [before]);
    },
  };
}

/** As identifiers stand in the table. */
export const hashedId = (id: string): string => hash('sha256', id, 'base64url');

function valuesOf(
  model: string,
  id: string,
  { payload, expires, uid, grantId, client, account }: NewState,
): SqlValue[] {
  const optional = (value: string | undefined, as: (value: string) => string) =>
    value === undefined ? null : as(value);
  return [
    model,
    hashedId(id),
    JSON.stringify(payload),
    expires,
    optional(uid, hashedId),
    optional(grantId, hashedId),
    optional(client, String),
    optional(account, String),
  ];
}

function rowOf(row: SqlRow): StateRow {
  return {
    payload: JSON.parse(String(row.payload)),
    consumed: row.consumed === null ? undefined : Number(row.consumed),
  };
}

// Who is this remote record here? Asked of a person, with everybody it may be; asked once, and a no is remembered.
// docs/sync-spec.md#I8
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { FieldScore, MatchScore } from '../../fhir/patient-match/rules.ts';
import type { SqlRow, SqlValue, Statement, Store } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import { AS_IT_IS, type Conflict, insertConflict, ofConnections, toConflict } from '../conflicts/conflict.ts';
import { isLive } from '../identity-row.ts';

/**
 * Why somebody is a candidate: a number in common, what the records say, our identifier on a second record, the record was
 * its own before it got the one that it has, the server merged the records, or it took its merge back.
 */
export type CandidateReason = 'identifier' | 'rules' | 'own-identifier' | 'earlier-record' | 'merged' | 'unmerged';

export interface Candidate {
  readonly localId: string;
  readonly why: CandidateReason;
  readonly score: MatchScore | undefined;
}

/** A remote record that may be one of ours. Candidates likeliest first, at least one. */
export interface IdentityQuestion {
  readonly connection: string;
  readonly type: string;
  readonly remoteId: string;
  readonly remoteBody: JsonObject;
  readonly remoteVersion: string | undefined;
  /** `duplicate`: the likeliest one has another record there already. */
  readonly kind: 'identity' | 'duplicate';
  readonly candidates: readonly Candidate[];
  /** The likeliest candidate's own copy, comparable, and its version. */
  readonly local: JsonObject | undefined;
  readonly localVersion: string | undefined;
}

/** A question as it was asked. */
export interface AskedQuestion extends Conflict {
  /** Epoch milliseconds; before then it is not shown. */
  readonly later: number | undefined;
  readonly candidates: readonly {
    readonly localId: string;
    readonly why: CandidateReason;
    readonly score: number | undefined;
    readonly fields: readonly FieldScore[];
  }[];
}

type Queryable = Pick<Store, 'query'>;

const QUESTION = "state = 'open' AND kind IN ('identity', 'duplicate')";

/** Asks, in place of an earlier question about the same remote record. */
export function askWho(question: IdentityQuestion, now: number): Statement[] {
  const { candidates, ...about } = question;
  const id = randomUUID();
  const nothing = { base: undefined, remote: undefined, proposed: undefined, paths: [], ...AS_IT_IS };
  const [first] = candidates;
  if (!first) return [];
  return [
    dropQuestion(about.connection, about.type, about.remoteId),
    insertConflict(id, { ...about, ...nothing, localId: first.localId }, now),
    ...candidates.map(({ localId, why, score }) => ({
      sql: 'INSERT INTO match_candidate (conflict_id, local_id, why, score, fields) VALUES (?, ?, ?, ?, ?)',
      params: [id, localId, why, score?.total ?? null, JSON.stringify(score?.fields ?? [])],
    })),
  ];
}

/** The same about a record that has no link; a push that links it before this is committed has answered it. */
export function askWhoUnlinked(question: IdentityQuestion, now: number): Statement[] {
  const { connection, type, remoteId } = question;
  const drop = dropQuestion(connection, type, remoteId);
  const isLinked = `EXISTS (SELECT 1 FROM identity WHERE identity.connection = conflict.connection
    AND identity.type = conflict.type AND identity.remote_id = conflict.remote_id AND ${isLive('identity.')})`;
  return [...askWho(question, now), { ...drop, sql: `${drop.sql} AND ${isLinked}` }];
}

/** Closes the question about a remote record that something else has answered. */
export function dropQuestion(connection: string, type: string, remoteId: string): Statement {
  const sql = `UPDATE conflict SET state = 'superseded' WHERE connection = ? AND type = ? AND remote_id = ? AND ${QUESTION}`;
  return { sql, params: [connection, type, remoteId] };
}

/** The candidates of open questions, by remote id. */
export async function candidatesOf(
  store: Queryable,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, Candidate[]>> {
  const found = new Map<string, Candidate[]>();
  if (remoteIds.length === 0) return found;
  const places = remoteIds.map(() => '?').join(', ');
  const sql = `SELECT conflict.remote_id, candidate.* FROM conflict JOIN match_candidate candidate
    ON candidate.conflict_id = conflict.id WHERE connection = ? AND type = ? AND remote_id IN (${places}) AND ${QUESTION}`;
  for (const row of await store.query(sql, [connection, type, ...remoteIds])) {
    const { localId, why, score, fields } = toCandidate(row);
    const known: Candidate = {
      localId,
      why,
      score: score === undefined ? undefined : { total: score, fields, verdict: 'possible' },
    };
    found.set(String(row.remote_id), [...(found.get(String(row.remote_id)) ?? []), known]);
  }
  return found;
}

/** Which of the remote records are asked about. */
export async function openQuestions(
  store: Queryable,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Set<string>> {
  if (remoteIds.length === 0) return new Set();
  const places = remoteIds.map(() => '?').join(', ');
  const sql = `SELECT remote_id FROM conflict WHERE connection = ? AND type = ? AND remote_id IN (${places}) AND ${QUESTION}`;
  const rows = await store.query(sql, [connection, type, ...remoteIds]);
  return new Set(rows.map((row) => String(row.remote_id)));
}

/** What the server showed of a remote record that is asked about. */
export async function shownWhenAsked(
  store: Queryable,
  connection: string,
  type: string,
  remoteId: string,
): Promise<JsonObject | undefined> {
  const sql = `SELECT remote_body FROM conflict WHERE connection = ? AND type = ? AND remote_id = ? AND ${QUESTION}`;
  const [row] = await store.query(sql, [connection, type, remoteId]);
  return row?.remote_body == null ? undefined : parseBody(String(row.remote_body));
}

export async function readQuestion(store: Queryable, id: string): Promise<AskedQuestion | undefined> {
  const [question] = await readQuestions(store, 'conflict.id = ?', [id]);
  return question;
}

/**
 * Open ones, oldest first.
 * @param connections those whose questions are asked
 * @param now those put off beyond it are left out; undefined for all
 */
export async function listQuestions(
  store: Queryable,
  connections: readonly string[],
  now: number | undefined,
): Promise<AskedQuestion[]> {
  const among = ofConnections(connections);
  const where = [QUESTION, among.sql];
  const params = [...among.params];
  if (now !== undefined) {
    where.push('(later IS NULL OR later <= ?)');
    params.push(now);
  }
  return readQuestions(store, where.join(' AND '), params);
}

async function readQuestions(store: Queryable, where: string, params: readonly SqlValue[]): Promise<AskedQuestion[]> {
  const rows = await store.query(`SELECT * FROM conflict WHERE ${where} ORDER BY at, id LIMIT 1000`, params);
  const ids = rows.map(({ id }) => String(id));
  const places = ids.map(() => '?').join(', ');
  const sql = `SELECT * FROM match_candidate WHERE conflict_id IN (${places}) ORDER BY COALESCE(score, 0) DESC, local_id`;
  const found = ids.length === 0 ? [] : await store.query(sql, ids);
  return rows.map((row) => ({
    ...toConflict(row),
    later: row.later == null ? undefined : Number(row.later),
    candidates: found.filter(({ conflict_id }) => conflict_id === row.id).map(toCandidate),
  }));
}

function toCandidate(row: SqlRow): AskedQuestion['candidates'][number] {
  return {
    localId: String(row.local_id),
    why: String(row.why) as CandidateReason,
    score: row.score == null ? undefined : Number(row.score),
    fields: JSON.parse(String(row.fields)),
  };
}

/** Whether one of ours that is not linked yet is a candidate of an open question. */
export async function isAskedFor(
  store: Queryable,
  connection: string,
  type: string,
  localId: string,
): Promise<boolean> {
  const sql = `SELECT 1 FROM match_candidate candidate JOIN conflict ON conflict.id = candidate.conflict_id
    WHERE candidate.local_id = ? AND connection = ? AND type = ? AND ${QUESTION} AND NOT EXISTS (
      SELECT 1 FROM identity WHERE identity.connection = conflict.connection AND identity.type = conflict.type
        AND identity.local_id = candidate.local_id AND ${isLive('identity.')}) LIMIT 1`;
  return (await store.query(sql, [localId, connection, type])).length > 0;
}

/** Remembers a person's no. */
export function notTheSame(
  pair: { readonly connection: string; readonly type: string; readonly localId: string; readonly remoteId: string },
  by: string,
  now: number,
): Statement {
  const sql = `INSERT INTO not_the_same (connection, type, local_id, remote_id, decided_by, at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (connection, type, remote_id, local_id) DO NOTHING`;
  return { sql, params: [pair.connection, pair.type, pair.localId, pair.remoteId, by, now] };
}

/** Forgets a person's no, because they say yes by now. */
export function theSameAfterAll(connection: string, type: string, localId: string, remoteId: string): Statement {
  const sql = 'DELETE FROM not_the_same WHERE connection = ? AND type = ? AND local_id = ? AND remote_id = ?';
  return { sql, params: [connection, type, localId, remoteId] };
}

/** Ours of whom a person said that the remote record is not theirs. */
export async function knownOthers(
  store: Queryable,
  connection: string,
  type: string,
  remoteId: string,
): Promise<Set<string>> {
  const sql = 'SELECT local_id FROM not_the_same WHERE connection = ? AND type = ? AND remote_id = ?';
  const rows = await store.query(sql, [connection, type, remoteId]);
  return new Set(rows.map((row) => String(row.local_id)));
}

/** Whether a person said of any remote record that it is not this one of ours. */
export async function hasNamesake(
  store: Queryable,
  connection: string,
  type: string,
  localId: string,
): Promise<boolean> {
  const sql = 'SELECT 1 FROM not_the_same WHERE connection = ? AND type = ? AND local_id = ? LIMIT 1';
  return (await store.query(sql, [connection, type, localId])).length > 0;
}

/** Whether a person said that a remote record is a patient of its own, to be taken in. */
export async function isDecidedNew(
  store: Queryable,
  connection: string,
  type: string,
  remoteId: string,
): Promise<boolean> {
  const sql = `SELECT 1 FROM conflict WHERE connection = ? AND type = ? AND remote_id = ? AND state = 'resolved'
    AND resolution = 'new' LIMIT 1`;
  return (await store.query(sql, [connection, type, remoteId])).length > 0;
}

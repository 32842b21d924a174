// What a roster remembers of each patient: the last complete answer, by which an equal one is recognised unread, and when to
// ask again. docs/sync-spec.md#I29
import type { AnswerMark } from '../../remote/answer-mark.ts';
import type { SqlRow, SqlValue, Statement } from '../../store/store.ts';
import { SOON } from '../connections/pull-interval.ts';
import { type RunContext, realNow } from '../context.ts';
import { isThere } from '../identity-row.ts';
import type { PullPlan } from './strategy.ts';

/** The answer to one request about a subject. */
export interface KnownAnswer {
  /** Condition of the search besides the patient; '' without one. */
  readonly condition: string;
  /** Absent when an equal answer would have to be read nevertheless. */
  readonly mark?: AnswerMark;
  /** Remote ids in it. */
  readonly ids: readonly string[];
}

export interface RosterRow {
  /** Remote id of the patient, or of the resource itself where each is read by its id. */
  readonly subject: string;
  readonly answers: readonly KnownAnswer[];
  /** The remote's clock at the last complete run. */
  readonly highWater: string | undefined;
  /** Epoch milliseconds of the machine's clock, as are the others. */
  readonly completeAt: number | undefined;
  readonly changedAt: number | undefined;
}

const CHUNK = 500;
const SHORTEST_LATER = 60_000;
const LONGEST_LATER = 4 * 60 * 60_000;
const COLUMNS = 'r.answers, r.high_water, r.complete_at, r.changed_at, r.due_at';
const LINKED = `SELECT i.remote_id AS subject, ${COLUMNS} FROM identity i
  LEFT JOIN roster r ON r.stream_key = ? AND r.subject = i.remote_id
  WHERE i.connection = ? AND i.type = ? AND ${isThere('i.')} AND i.how <> 'projected'`;
const DUE = `${LINKED} AND (r.due_at IS NULL OR r.due_at <= ?) AND (COALESCE(r.due_at, 0), i.remote_id) > (?, ?)
  ORDER BY COALESCE(r.due_at, 0), i.remote_id LIMIT ?`;
const SAVE = `INSERT INTO roster (stream_key, subject, connection, type, answers, high_water, complete_at, changed_at, due_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream_key, subject) DO UPDATE SET answers = excluded.answers,
  high_water = excluded.high_water, complete_at = excluded.complete_at, changed_at = excluded.changed_at,
  due_at = excluded.due_at`;

/**
 * Whom to ask about, in chunks.
 * @param most of those that are due, the longest overdue first; undefined for all there are, due or not
 */
export async function* subjects(
  context: RunContext,
  type: string,
  plan: PullPlan,
  key: string,
  most: number | undefined,
): AsyncGenerator<RosterRow[]> {
  const { store, connection, scope } = context;
  const owner = plan.by === 'id' ? type : 'Patient';
  if (scope && owner === 'Patient') {
    yield* amongScope(context, [...scope].sort(), key, most);
    return;
  }
  const params = [key, connection.name, owner];
  if (most !== undefined) {
    yield* whoIsDue(context, params, most);
    return;
  }
  for (let last = ''; ; ) {
    const sql = `${LINKED} AND i.remote_id > ? ORDER BY i.remote_id LIMIT ${CHUNK}`;
    const rows = (await store.query(sql, [...params, last])).map(toRow);
    if (rows.length > 0) yield rows;
    if (rows.length < CHUNK) return;
    last = rows.at(-1)?.subject ?? '';
  }
}

async function* whoIsDue(context: RunContext, linked: readonly SqlValue[], most: number): AsyncGenerator<RosterRow[]> {
  // Whoever becomes due during the run, perhaps for the second time, is for the next one.
  const until = realNow(context) + SOON;
  let last: readonly [dueAt: number, subject: string] = [-1, ''];
  for (let left = most; left > 0; ) {
    const chunk = Math.min(left, CHUNK);
    const rows = await context.store.query(DUE, [...linked, until, ...last, chunk]);
    const end = rows.at(-1);
    if (!end) return;
    yield rows.map(toRow);
    if (rows.length < chunk) return;
    left -= rows.length;
    last = [Number(end.due_at ?? 0), String(end.subject)];
  }
}

async function* amongScope(
  context: RunContext,
  ids: readonly string[],
  key: string,
  most: number | undefined,
): AsyncGenerator<RosterRow[]> {
  const chosen = most === undefined ? ids : await longestDue(context, ids, key, most);
  for (let start = 0; start < chosen.length; start += CHUNK) {
    const chunk = chosen.slice(start, start + CHUNK);
    const found = new Map((await knownAmong(context, chunk, key, COLUMNS)).map((row) => [String(row.subject), row]));
    yield chunk.map((subject) => toRow(found.get(subject) ?? { subject }));
  }
}

/** Who was never asked comes first, then who waits longest: with more patients than a run may ask, everybody has a turn. */
async function longestDue(context: RunContext, ids: readonly string[], key: string, most: number): Promise<string[]> {
  const until = realNow(context) + SOON;
  const due: { readonly id: string; readonly dueAt: number }[] = [];
  for (let start = 0; start < ids.length; start += CHUNK) {
    const chunk = ids.slice(start, start + CHUNK);
    const rows = await knownAmong(context, chunk, key, 'r.due_at');
    const times = new Map(rows.map((row) => [String(row.subject), Number(row.due_at)]));
    for (const id of chunk) {
      const dueAt = times.get(id) ?? 0;
      if (dueAt <= until) due.push({ id, dueAt });
    }
  }
  due.sort((a, b) => a.dueAt - b.dueAt);
  return due.slice(0, most).map(({ id }) => id);
}

function knownAmong({ store }: RunContext, ids: readonly string[], key: string, columns: string): Promise<SqlRow[]> {
  const sql = `SELECT r.subject, ${columns} FROM roster r
    WHERE r.stream_key = ? AND r.subject IN (${ids.map(() => '?').join(', ')})`;
  return store.query(sql, [key, ...ids]);
}

/** @param dueAt when to ask again, epoch milliseconds */
export function saveRosterRow(
  connection: string,
  type: string,
  key: string,
  row: RosterRow,
  changedAt: number,
  dueAt: number,
): Statement {
  const { subject, answers, highWater, completeAt } = row;
  const numbers = [completeAt ?? null, changedAt, dueAt];
  return {
    sql: SAVE,
    params: [key, subject, connection, type, JSON.stringify(answers), highWater ?? null, ...numbers],
  };
}

/** Whose record changed lately is asked about sooner: after a tenth of the time that it has been quiet. Whole milliseconds. */
export function nextDue(now: number, changedAt: number, pullEverySeconds: number): number {
  const shortest = Math.max(SHORTEST_LATER, pullEverySeconds * 1000);
  return now + Math.round(Math.max(shortest, Math.min((now - changedAt) / 10, LONGEST_LATER)));
}

/** Forgets what other streams of the type knew, and this one, too, when its server is another than it was. */
export function forgetRoster(connection: string, type: string, exceptKey: string): Statement {
  const sql = 'DELETE FROM roster WHERE connection = ? AND type = ? AND stream_key <> ?';
  return { sql, params: [connection, type, exceptKey] };
}

function toRow(row: SqlRow): RosterRow {
  const number = (column: string) =>
    row[column] === null || row[column] === undefined ? undefined : Number(row[column]);
  return {
    subject: String(row.subject),
    answers: typeof row.answers === 'string' ? JSON.parse(row.answers) : [],
    highWater: typeof row.high_water === 'string' ? row.high_water : undefined,
    completeAt: number('complete_at'),
    changedAt: number('changed_at'),
  };
}

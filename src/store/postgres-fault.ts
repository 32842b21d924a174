// PostgreSQL's error codes as faults: what a caller can act on becomes a sentence, the rest stays a bug. Never the
// database's own message, which quotes values.
// https://www.postgresql.org/docs/18/errcodes-appendix.html
import { Fault, type FaultKind } from '../fault.ts';

/** By error code, or by the first two letters: its class. */
const MEANINGS: Readonly<Record<string, readonly [FaultKind, string]>> = {
  '23': ['conflict', 'A row with the same key is already stored.'],
  '22': ['invalid', 'A value is not one that the database can hold or compare.'],
  '54': ['too-large', 'A value or a query is larger than the database can take.'],
  '40': ['unavailable', 'The database undid the work because of a concurrent change; try again.'],
  '53': ['unavailable', 'The database has run out of disk, memory or connections.'],
  '57': ['unavailable', 'The database stopped the work; try again.'],
  '58': ['unavailable', 'The disk of the database reported an error.'],
  '08': ['unavailable', 'The connection to the database was lost; try again.'],
  '28': ['unavailable', 'The database refuses the user or the password of BATON_DATABASE_URL.'],
  '3D000': ['unavailable', 'The database that BATON_DATABASE_URL names does not exist; create it first.'],
  '55P03': ['unavailable', 'Another process held the database for too long; try again.'],
  '57014': ['unavailable', 'The query took longer than the database may spend on one; ask for less at a time.'],
  '25006': ['unavailable', 'The database takes no writes: it is a standby or read-only.'],
  '25P03': ['unavailable', 'The database gave up a transaction that stood still for too long; try again.'],
  '42501': ['unavailable', 'The database role lacks a privilege that Baton needs; docs/operations.md lists them.'],
};

/** The error a statement failed with, as a Fault where its cause is known; a mistake in SQL stays what it is. */
export function postgresFault(error: unknown): unknown {
  if (error instanceof Fault) return error;
  const code = sqlState(error);
  if (code === undefined) {
    return new Fault('unavailable', 'The database cannot be reached; try again.', { cause: withoutValues(error) });
  }
  const meaning = MEANINGS[code] ?? MEANINGS[code.slice(0, 2)];
  return meaning ? new Fault(meaning[0], meaning[1], { cause: withoutValues(error) }) : error;
}

/** The server ended the session: shutdown, crash, or a limit on how long a transaction may stand still. */
const LOST = new Set(['57P01', '57P02', '57P03', '25P03']);

/** Whether the connection was lost while the statement ran, so that nobody knows what became of it. */
export function isLost(error: unknown): boolean {
  if (error instanceof Fault && error.kind !== 'unavailable') return false;
  const code = sqlState(error instanceof Fault ? error.cause : error);
  return code === undefined || code.startsWith('08') || LOST.has(code);
}

/** https://www.postgresql.org/docs/18/protocol-error-fields.html; undefined for a failure of the network. */
function sqlState(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  return severity !== undefined && typeof code === 'string' ? code : undefined;
}

/** Logs print causes: keep what names the place, drop what may quote a row. */
function withoutValues(error: unknown): unknown {
  const { code, message, table, column, constraint, routine } = (error ?? {}) as Record<string, unknown>;
  const state = sqlState(error);
  const cause = new Error(state === undefined ? String(message ?? error) : `PostgreSQL error ${state}`);
  return Object.assign(cause, { code, table, column, constraint, routine, ...(state && { severity: 'ERROR' }) });
}

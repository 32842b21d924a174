// SQLite's result codes as faults: what a caller can act on becomes a sentence, the rest stays a bug.
import { Fault } from '../fault.ts';

/** Primary result codes, https://www.sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const NOTADB = 26;

const SENTENCES: Record<number, string> = {
  [BUSY]: 'The database is locked by another process; try again.',
  [LOCKED]: 'The database is locked by another process; try again.',
  [READONLY]: 'The database file or its directory is read-only; give the process write access to both.',
  [IOERR]: 'The disk reported an error while the database was being used.',
  [FULL]: 'The disk with the database is full.',
  [CANTOPEN]: 'The database file cannot be opened; check that its directory exists and may be written.',
  [NOTADB]: 'The file is not a SQLite database, or it is encrypted.',
};

/** Whether a Fault that `sqliteFault` made means that another connection holds the lock. */
export function isLocked(error: unknown): boolean {
  const code = error instanceof Fault ? primaryCode(error.cause) : undefined;
  return code === BUSY || code === LOCKED;
}

/** The error a statement threw, as a Fault where its cause is known; anything else unchanged. */
export function sqliteFault(error: unknown): unknown {
  const primary = primaryCode(error);
  if (primary === undefined) return error;
  if (primary === CONSTRAINT) {
    return new Fault('conflict', 'A row with the same key is already stored.', { cause: error });
  }
  const sentence = SENTENCES[primary];
  return sentence === undefined ? error : new Fault('unavailable', sentence, { cause: error });
}

function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null | undefined)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

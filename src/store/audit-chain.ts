// The audit trail: append-only rows, each with a SHA-256 over its content and the hash of the row before, so that a
// change or a removal in the middle shows.
import { hash } from 'node:crypto';
import type { Transaction } from './engine.ts';
import type { AuditRecord, SqlRow, SqlValue, Store } from './store.ts';
import { tableOf } from './table.ts';

/** An audit record and when it happened; `version` for a write. */
export interface AuditEntry extends AuditRecord {
  /** Milliseconds since 1970. */
  readonly recorded: number;
  readonly version?: number;
}

/** The columns in the order in which they are hashed; `hash` follows them. */
const AUDIT = tableOf(
  'audit',
  'one-forever',
  'sequence bigint, recorded bigint, actor text, kind text, origin text, request text, interaction text, action text, status bigint, type text, id text, version bigint, query text, hash text',
);
const COLUMNS = AUDIT.columns.map(([name]) => name).slice(0, -1);

const LAST = 'SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1';

/** Appends `entries` in order. Must run inside the store's write transaction. */
export async function appendAudit(tx: Transaction, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const [last] = await tx.before(LAST);
  let sequence = Number(last?.sequence ?? 0);
  let previous = String(last?.hash ?? '');
  for (const entry of entries) {
    sequence += 1;
    const values = columnsOf(sequence, entry);
    previous = chainHash(previous, values);
    values.push(previous);
    await tx.put(AUDIT, sequence, [values], true);
  }
}

/** What a walk over the whole trail found. */
export interface AuditVerdict {
  /** Rows that are as they were written. */
  readonly verified: number;
  /** Sequence of the first row that is missing or was changed, or that follows one. */
  readonly brokenAt?: number;
}

/** Walks the whole trail, a thousand rows at a time. */
export async function verifyAudit(store: Pick<Store, 'query'>): Promise<AuditVerdict> {
  const page = `SELECT ${COLUMNS.join(', ')}, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT 1000`;
  let verified = 0;
  let previous = '';
  for (;;) {
    const rows = await store.query(page, [verified]);
    for (const row of rows) {
      const expected = chainHash(previous, valuesOf(row));
      if (row.sequence !== verified + 1 || row.hash !== expected) return { verified, brokenAt: verified + 1 };
      previous = expected;
      verified += 1;
    }
    if (rows.length === 0) return { verified };
  }
}

function columnsOf(sequence: number, entry: AuditEntry): SqlValue[] {
  const { actor } = entry;
  return [
    sequence,
    entry.recorded,
    actor.reference,
    actor.kind,
    actor.origin ?? null,
    actor.requestId ?? null,
    entry.interaction,
    entry.action,
    entry.status,
    entry.type ?? null,
    entry.id ?? null,
    entry.version ?? null,
    entry.query ?? null,
  ];
}

function valuesOf(row: SqlRow): SqlValue[] {
  return COLUMNS.map((column) => row[column] ?? null);
}

function chainHash(previous: string, values: readonly SqlValue[]): string {
  return hash('sha256', `${previous}\n${JSON.stringify(values)}`, 'base64url');
}

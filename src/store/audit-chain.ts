// The audit trail: append-only rows, each with a SHA-256 over its content and the hash of the row before, so that a
// change or a removal in the middle shows. audit-walk.ts looks.
import { hash } from 'node:crypto';
import type { AuditEntry } from './audit-entry.ts';
import type { Transaction } from './engine.ts';
import type { SqlRow, SqlValue } from './store.ts';
import { tableOf } from './table.ts';

/** What the hash of a row covers, in this order. */
const FORMATS = {
  /** Rows from before migration 0007. */
  1: 'sequence recorded actor kind origin request interaction action status type id version query'.split(' '),
  2: 'sequence format recorded actor kind client origin address purposes emergency request interaction action status type id version patient further query'.split(
    ' ',
  ),
} as const;
const FORMAT = 2;

const AUDIT = tableOf(
  'audit',
  'one-forever',
  'sequence bigint, format bigint, recorded bigint, actor text, kind text, client text, origin text, address text, purposes text, emergency text, request text, interaction text, action text, status bigint, type text, id text, version bigint, patient text, further text, query text, hash text',
);
const FURTHER = tableOf('audit_further', 'many', 'sequence bigint, patient text');

/** Every column that a row may have, for who verifies it. */
export const CHAIN_COLUMNS = AUDIT.columns.map(([name]) => name);

/** Rows that are written in one go: about three milliseconds in which the event loop stands still. */
const SLICE = 250;

const LAST = 'SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1';

/** Appends `entries` in order. Must run inside the store's write transaction. */
export async function appendAudit(tx: Transaction, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const [last] = await tx.before(LAST);
  let sequence = Number(last?.sequence ?? 0);
  let previous = String(last?.hash ?? '');
  for (let start = 0; start < entries.length; start += SLICE) {
    // Requests that only read go on meanwhile.
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    const [rows, further]: [SqlValue[][], SqlValue[][]] = [[], []];
    for (const entry of entries.slice(start, start + SLICE)) {
      sequence += 1;
      const values = columnsOf(sequence, entry);
      previous = chainHash(previous, values);
      values.push(previous);
      rows.push(values);
      for (const patient of entry.patients?.slice(1) ?? []) further.push([sequence, patient]);
    }
    await tx.put(AUDIT, sequence, rows, true);
    if (further.length > 0) await tx.put(FURTHER, sequence, further, true);
  }
}

/**
 * The hash that a row must have after a row with the hash `previous`; undefined when it has no format that there ever was,
 * or content that its format does not have.
 */
export function expectedHash(previous: string, row: SqlRow): string | undefined {
  const format = row.format === null ? 1 : row.format;
  if (format !== 1 && format !== FORMAT) return undefined;
  const covered: readonly string[] = FORMATS[format];
  const uncovered = CHAIN_COLUMNS.some((name) => name !== 'hash' && !covered.includes(name) && row[name] !== null);
  if (uncovered || (format === 1 && row.format !== null)) return undefined;
  return chainHash(
    previous,
    covered.map((name) => row[name] ?? null),
  );
}

function columnsOf(sequence: number, entry: AuditEntry): SqlValue[] {
  const { actor, patients = [] } = entry;
  return [
    sequence,
    FORMAT,
    entry.recorded,
    storable(actor.reference),
    actor.kind,
    storable(actor.client),
    storable(actor.origin),
    storable(actor.address),
    storable(actor.purposes?.join(' ') || undefined),
    storable(actor.emergency),
    storable(actor.requestId),
    storable(entry.interaction),
    entry.action,
    entry.status,
    storable(entry.type),
    storable(entry.id),
    entry.version ?? null,
    storable(patients[0]),
    storable(patients.slice(1).join(' ') || undefined),
    storable(entry.query),
  ];
}

/** What a database gives back as it was given: else a client could break the chain with a character. */
function storable(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.isWellFormed() && !text.includes('\0') ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}

function chainHash(previous: string, values: readonly SqlValue[]): string {
  return hash('sha256', `${previous}\n${JSON.stringify(values)}`, 'base64url');
}

// Walks the audit trail from its beginning and proves each record by the one before, and by what seals say of it. Memory is
// constant, and the event loop gets a turn after each page.
import { setImmediate } from 'node:timers/promises';
import { CHAIN_COLUMNS, expectedHash } from './audit-chain.ts';
import type { SqlRow, Store } from './store.ts';

/** What somebody outside the chain knows: after record `sequence` the hash was this. */
export interface Anchor {
  readonly sequence: number;
  readonly hash: string;
  /** Who says so, for people: `seal 12`. */
  readonly name: string;
}

export interface ChainVerdict {
  /** Records that are as they were written. */
  readonly verified: number;
  /** Sequence of the last of them; of the last removed by retention when there is none. */
  readonly last: number;
  /** Sequence of the first record that is missing or was changed, or that follows one. */
  readonly brokenAt?: number;
  /** A sentence that says what is wrong. */
  readonly reason?: string;
}

const PAGE = `SELECT ${CHAIN_COLUMNS.join(', ')} FROM audit WHERE sequence > ? ORDER BY sequence LIMIT 1000`;
const FURTHER =
  'SELECT sequence, patient FROM audit_further WHERE sequence > ? AND sequence <= ? ORDER BY sequence, patient';

/**
 * @param begin the last record that retention removed; sequence 0 and hash '' when there is none
 * @param anchors in the order of their sequences, all after `begin`
 */
export async function walkTrail(
  store: Pick<Store, 'query'>,
  begin: Pick<Anchor, 'sequence' | 'hash'> = { sequence: 0, hash: '' },
  anchors: AsyncIterable<Anchor> = none(),
): Promise<ChainVerdict> {
  const waiting = anchors[Symbol.asyncIterator]();
  let anchor = await waiting.next();
  let { sequence: last, hash: previous } = begin;
  // From below the first: nothing may stand before it.
  let from = Number.MIN_SAFE_INTEGER;
  const broken = (reason: string): ChainVerdict => ({
    ...{ verified: last - begin.sequence, last, brokenAt: last + 1, reason },
  });
  for (;;) {
    const rows = await store.query(PAGE, [from]);
    const wrong = rows.length === 0 ? undefined : await wrongFurther(store, from, rows);
    for (const row of rows) {
      const sequence = Number(row.sequence);
      if (sequence !== last + 1) return broken(sequence > last ? isMissing(last + 1) : isExtra(sequence));
      const expected = expectedHash(previous, row);
      if (expected === undefined || row.hash !== expected || wrong === sequence) return broken(wasChanged(sequence));
      if (!anchor.done && anchor.value.sequence === sequence) {
        if (anchor.value.hash !== expected) return broken(wasRewritten(anchor.value, sequence));
        anchor = await waiting.next();
      }
      previous = expected;
      last = sequence;
    }
    if (rows.length === 0) {
      if (!anchor.done) return broken(wasCut(anchor.value, last));
      const [extra] = await store.query('SELECT sequence FROM audit_further WHERE sequence > ? LIMIT 1', [last]);
      if (extra) return broken(`The index of patients names record ${extra.sequence}, which is not there.`);
      return { verified: last - begin.sequence, last };
    }
    from = last;
    await setImmediate();
  }
}

/** The first row of which the index of further patients says something else than the row itself. */
async function wrongFurther(
  store: Pick<Store, 'query'>,
  after: number,
  rows: readonly SqlRow[],
): Promise<number | undefined> {
  const indexed = await store.query(FURTHER, [after, Number(rows.at(-1)?.sequence)]);
  const found = Map.groupBy(indexed, (row) => Number(row.sequence));
  for (const { sequence, further } of rows) {
    const wanted = further === null ? '' : String(further).split(' ').toSorted().join(' ');
    const has = (found.get(Number(sequence)) ?? []).map((row) => String(row.patient)).toSorted();
    if (has.join(' ') !== wanted) return Number(sequence);
    found.delete(Number(sequence));
  }
  const [stray] = found.keys();
  return stray;
}

async function* none(): AsyncGenerator<Anchor> {}

const isMissing = (sequence: number) => `Record ${sequence} is missing: it was removed.`;
const isExtra = (sequence: number) => `Record ${sequence} stands before the beginning of the trail: it was put there.`;
const wasChanged = (sequence: number) =>
  `Record ${sequence} is not what was written: it was changed, or put or moved there.`;
const wasRewritten = ({ name }: Anchor, sequence: number) =>
  `${name} says that record ${sequence} had another hash: the chain up to there was written anew.`;
const wasCut = ({ name, sequence }: Anchor, last: number) =>
  `The trail ends at record ${last}, and ${name} covers record ${sequence}: records were cut off the end.`;

// Is the audit trail what was written? The seals first, because they say where it begins and what it was; then every record;
// then the copies of the seals outside of the database. Nothing is kept in memory but a page of each.
import { setTimeout as pause } from 'node:timers/promises';
import type { Keys } from '../access/keys.ts';
import { type Anchor, type ChainVerdict, walkTrail } from '../store/audit-walk.ts';
import type { Store } from '../store/store.ts';
import { digestOf, isSigned, readSeal, type Seal } from './seal.ts';
import { type FiledSeal, filedSeals } from './seal-file.ts';
import { newestSeal, type SealRow, sealsAfter } from './seal-rows.ts';

export interface VerifyOptions {
  readonly store: Pick<Store, 'query'>;
  readonly jwks: Keys['jwks'];
  /** `audit-seals.jsonl`; absent when seals are in the database only. */
  readonly file?: string | undefined;
  /** Seals that were kept elsewhere, as compact JWS. */
  readonly elsewhere?: readonly string[];
}

export interface TrailVerdict extends ChainVerdict {
  /** Seals that hold. */
  readonly seals: number;
  /** Newest records that no seal covers yet. */
  readonly unsealed: number;
}

/** How long a seal may be on its way from the database to the file, in milliseconds. */
const ON_ITS_WAY = 250;

export async function verifyTrail(options: VerifyOptions): Promise<TrailVerdict> {
  for (;;) {
    const beginning = (await newestSeal(options.store, 'beginning'))?.number;
    const verdict = await verifyOnce(options);
    // Retention may have moved the beginning meanwhile.
    const isSame = (await newestSeal(options.store, 'beginning'))?.number === beginning;
    if (verdict.reason === undefined || isSame) return verdict;
  }
}

async function verifyOnce(options: VerifyOptions): Promise<TrailVerdict> {
  const { store } = options;
  const seals = await verifySeals(options);
  if ('reason' in seals) return { verified: 0, last: 0, unsealed: 0, seals: seals.count, reason: seals.reason };
  const { count, beginning, newest, sealed } = seals;
  const chain = await walkTrail(store, beginning, anchors(store, beginning?.sequence ?? 0, newest?.number ?? 0));
  const verdict = { ...chain, seals: count, unsealed: Math.max(0, chain.last - sealed) };
  if (chain.reason !== undefined) return verdict;
  const reason = (await wrongFile(options, seals)) ?? (await wrongElsewhere(options, seals));
  return reason === undefined ? verdict : { ...verdict, reason };
}

interface Seals {
  readonly count: number;
  readonly first: SealRow | undefined;
  readonly newest: SealRow | undefined;
  /** Where the trail begins since retention has removed what was before. */
  readonly beginning: Seal | undefined;
  /** Sequence of the newest sealed record. */
  readonly sealed: number;
}

/** The newest signature covers all: each seal names the digest of the one before. */
async function verifySeals({
  store,
  jwks,
  file,
}: VerifyOptions): Promise<Seals | { readonly count: number; readonly reason: string }> {
  let first: SealRow | undefined;
  let newest: SealRow | undefined;
  let beginning: Seal | undefined;
  let sealed = 0;
  let count = 0;
  for await (const row of sealsAfter(store, Number.MIN_SAFE_INTEGER)) {
    const seal = readSeal(row.jws);
    if (!seal || !isSameSeal(row, seal)) return { count, reason: `Seal ${row.number} was changed.` };
    if (newest) {
      if (row.number !== newest.number + 1) return { count, reason: `Seal ${newest.number + 1} was removed.` };
      if (seal.previous !== digestOf(newest.jws)) return { count, reason: `Seal ${newest.number} was changed.` };
      if (file !== undefined && !newest.filed) return { count, reason: `Seal ${newest.number} was changed.` };
    }
    if (seal.kind === 'beginning') beginning = seal;
    else if (seal.sequence <= sealed) return { count, reason: `Seal ${row.number} is older than the one before.` };
    else sealed = seal.sequence;
    first ??= row;
    newest = row;
    count += 1;
  }
  const from = beginning?.from ?? 1;
  if (first && first.number !== from) return { count: 0, reason: `Seal ${from} was removed.` };
  if (newest && !(await isSigned(newest.jws, jwks))) {
    return { count: 0, reason: `Seal ${newest.number} is not signed with a key of this Baton.` };
  }
  return { count, first, newest, beginning, sealed };
}

function isSameSeal(row: SealRow, seal: Seal): boolean {
  return (
    row.number === seal.number &&
    row.kind === seal.kind &&
    row.sequence === seal.sequence &&
    row.hash === seal.hash &&
    row.sealed === Temporal.Instant.from(seal.time).epochMilliseconds
  );
}

async function* anchors(store: Pick<Store, 'query'>, after: number, upto: number): AsyncGenerator<Anchor> {
  for await (const { number, kind, sequence, hash } of sealsAfter(store, Number.MIN_SAFE_INTEGER)) {
    if (number > upto) return;
    if (kind === 'seal' && sequence > after) yield { sequence, hash, name: `Seal ${number}` };
  }
}

/** What the file says other than the database; undefined when they agree. */
async function wrongFile(options: VerifyOptions, seals: Seals): Promise<string | undefined> {
  if (options.file === undefined) return undefined;
  const reason = await compareFile(options.store, options.file, seals);
  if (reason === undefined) return undefined;
  // A running Baton may have made a seal between the two looks.
  await pause(ON_ITS_WAY);
  const again = await verifySeals(options);
  return 'reason' in again ? again.reason : compareFile(options.store, options.file, again);
}

async function compareFile(
  store: Pick<Store, 'query'>,
  file: string,
  { first, newest }: Seals,
): Promise<string | undefined> {
  const rows = sealsAfter(store, Number.MIN_SAFE_INTEGER);
  let before: FiledSeal | undefined;
  let reached = (first?.number ?? 1) - 1;
  for await (const line of filedSeals(file)) {
    const seal = line && readSeal(line.jws);
    if (!line || !seal || seal.number !== line.number)
      return `The file of seals is damaged after seal ${before?.number ?? 0}.`;
    if (before && (line.number !== before.number + 1 || seal.previous !== digestOf(before.jws))) {
      return `The file of seals goes from seal ${before.number} to another than its next.`;
    }
    before = line;
    if (line.number > (newest?.number ?? 0)) {
      return `The file has seal ${line.number} of record ${seal.sequence}, which the database lacks: records or seals were removed, or an older database was restored.`;
    }
    if (line.number <= reached) continue;
    if (line.number !== reached + 1) return `The file of seals lacks seal ${reached + 1}.`;
    const row = (await rows.next()).value as SealRow | undefined;
    if (row?.jws !== line.jws) return `Seal ${line.number} is another in the file than in the database.`;
    reached = line.number;
  }
  const isUnderWay = newest !== undefined && !newest.filed && reached === newest.number - 1;
  return reached === (newest?.number ?? 0) || isUnderWay ? undefined : `The file of seals lacks seal ${reached + 1}.`;
}

async function wrongElsewhere(
  { store, jwks, elsewhere = [] }: VerifyOptions,
  { beginning }: Seals,
): Promise<string | undefined> {
  for (const [index, jws] of elsewhere.entries()) {
    const seal = readSeal(jws);
    if (!seal || !(await isSigned(jws, jwks)))
      return `Line ${index + 1} of the seals kept elsewhere is no seal of this Baton.`;
    if (seal.sequence <= (beginning?.sequence ?? 0)) continue;
    const [row] = await store.query('SELECT hash FROM audit WHERE sequence = ?', [seal.sequence]);
    if (row?.hash !== seal.hash) {
      return `Seal ${seal.number}, kept elsewhere, says that record ${seal.sequence} was another than what is there.`;
    }
  }
  return undefined;
}

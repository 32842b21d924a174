// An update whose answer was lost may have arrived, and somebody there may have gone on from it: then the common version is
// not the one the link keeps. What both sides seem to have changed is decided by no preference then. docs/sync-spec.md#I13
import { type Json, type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import type { Store, StoredVersion } from '../../store/store.ts';
import { comparable, parseBody } from '../body.ts';
import type { ResourcePolicy } from '../conflicts/policy-schema.ts';
import { type Copies, ofOnePatient, type Reconciled } from '../conflicts/reconcile.ts';
import { mayBecome } from '../conflicts/transitions.ts';
import type { RunContext } from '../context.ts';
import { readOutbox } from '../push/outbox.ts';
import { type Age, reconcileAged } from './version-age.ts';

/** An answer is waited for a short time only: what was sent is one of the latest versions. */
const MOST_VERSIONS = 10;

/** Whether an update of the resource is under way, or nobody knows what became of it. */
export async function isUnanswered(
  { store, connection }: Pick<RunContext, 'store' | 'connection'>,
  { type, id }: StoredVersion,
): Promise<boolean> {
  const row = await readOutbox(store, connection.name, type, id);
  return row?.state === 'sending' || row?.faultClass === 'ambiguous';
}

export type Doubted = Reconciled & {
  /** Whether the answer to our last update was missing; known only where it matters. */
  readonly isDoubted: boolean;
};

/**
 * Like `reconcileAged`; asks where our own update may have been what they changed.
 * @param isLost whether the answer to our last update is missing
 */
export async function reconcileDoubted(
  store: Pick<Store, 'vread'>,
  isLost: () => boolean | Promise<boolean>,
  stored: StoredVersion,
  copies: Copies,
  policy: ResourcePolicy,
  age: Age,
): Promise<Doubted> {
  const result = await withoutEcho(store, isLost, stored, copies, policy, age);
  return ofOnePatient(heedDoor(parseBody(stored.content), result), copies.local);
}

async function withoutEcho(
  store: Pick<Store, 'vread'>,
  isLost: () => boolean | Promise<boolean>,
  stored: StoredVersion,
  copies: Copies,
  policy: ResourcePolicy,
  age: Age,
): Promise<Doubted> {
  const usual = reconcileAged(copies, policy, age);
  if (age !== 'newer') return { ...usual, isDoubted: false };
  const strict = reconcileAged(copies, withoutPreference(policy), age);
  if (strict.conflicts.length === 0) return { ...usual, isDoubted: false };
  const isDoubted = await isLost();
  if (!isDoubted) return { ...usual, isDoubted };
  const sent = await latest(store, stored);
  // Their value is one of ours, which did arrive: nobody there changed it.
  const isOurs = (path: string, theirs: Json | undefined) =>
    theirs !== undefined && sent.some((body) => body[path] !== undefined && sameJson(body[path], theirs));
  const arrived = strict.conflicts.filter(({ path, theirs }) => isOurs(path, theirs));
  const conflicts = strict.conflicts.filter((one) => !arrived.includes(one));
  return { ...strict, conflicts, isDoubted };
}

/** What the store would refuse is asked of a person. Only the stored copy has the claims that may make a Task a referral. */
function heedDoor(local: JsonObject, result: Doubted): Doubted {
  if (result.conflicts.length > 0 || mayBecome(local, result.merged)) return result;
  const path = 'status';
  const [ours, theirs] = [local[path], result.theirs[path]];
  return {
    ...result,
    merged: { ...result.merged, [path]: ours },
    conflicts: [{ path, base: ours, ours, theirs, why: 'transition' }],
  };
}

async function latest(store: Pick<Store, 'vread'>, { type, id, versionId }: StoredVersion) {
  const newest = Number(versionId);
  const bodies = [];
  for (let version = newest; version > Math.max(0, newest - MOST_VERSIONS); version -= 1) {
    const found = await store.vread(type, id, String(version));
    if (found && found.content !== '') bodies.push(comparable(parseBody(found.content)));
  }
  return bodies;
}

/** Both texts of an `append` survive in any case. */
function withoutPreference({ default: general, paths = {}, ...policy }: ResourcePolicy): ResourcePolicy {
  const asked = (preference: NonNullable<typeof general>) =>
    preference === 'ours' || preference === 'theirs' ? 'review' : preference;
  const each = Object.entries(paths).map(([path, preference]) => [path, asked(preference)] as const);
  return { ...policy, paths: Object.fromEntries(each), ...(general ? { default: asked(general) } : {}) };
}

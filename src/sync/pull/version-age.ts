// From which common version two copies are compared. Usually the one the link keeps; but a server that was restored from a
// backup shows a copy from before it, and what such a copy lacks was not taken out by anybody. docs/sync-spec.md#I5
import { isJsonObject, type JsonObject } from '../../fhir/canonical-json.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { Store } from '../../store/store.ts';
import { updatedOf } from '../body.ts';
import type { ResourcePolicy } from '../conflicts/policy-schema.ts';
import { type Copies, type Reconciled, reconcile } from '../conflicts/reconcile.ts';
import { type Link, wasKnown } from '../identity.ts';
import { areOrdered, isEarlierVersion } from './version-order.ts';

/**
 * `newer`: grown from the common version, as far as can be told. `older`: a copy from before it, which we knew. `forked`:
 * from before it and edited since, so that no common version is left; also a copy we never saw, because a restored server
 * whose clock went back gives an edit an earlier time and number, too.
 */
export type Age = 'newer' | 'older' | 'forked';

/** Servers that number versions begin with it. */
export const FIRST_VERSION = '1';

/** @param version of the received body, as the server numbers it */
export async function ageOf(
  store: Pick<Store, 'query'>,
  link: Link,
  body: JsonObject,
  version: string | undefined,
): Promise<Age> {
  if (!link.baseRemote) return link.how === 'created-by-us' ? ageOfOurs(version) : 'newer';
  // Versions were forgotten because the server was wiped or restored: what it has may be from before or after that.
  const known = versionOf(link.baseRemote);
  const isReset = link.remoteVersion === undefined && known !== undefined && version !== undefined;
  const before = isReset ? known : link.remoteVersion;
  const isCommon = version === known && sameMoment(link.baseRemote, body);
  if (isReset ? isCommon : !isEarlierVersion(version, before)) return 'newer';
  const [then, seen] = [updatedOf(link.baseRemote), updatedOf(body)];
  const isEarlier = then && seen && Temporal.Instant.compare(seen, then) < 0 && !isEarlierVersion(before, version);
  return isEarlier && (await wasKnown(store, link, body, version)) ? 'older' : 'forked';
}

/** Of a resource that we made there without hearing of it: unless it is the first version, somebody has edited it since. */
export function ageOfOurs(version: string | undefined): Age {
  return version === FIRST_VERSION ? 'older' : 'forked';
}

/** True when a search may have shown a copy that was replaced since. */
export function mayBeStale(link: Link, body: JsonObject, version: string | undefined): boolean {
  // Ours has just got the record, and no copy of it is known yet: it may be in use again by now.
  if (link.remoteHash === undefined && replacedBy(body) !== undefined) return true;
  if (areOrdered(version, link.remoteVersion)) return isEarlierVersion(version, link.remoteVersion);
  const [known, seen] = [link.baseRemote && updatedOf(link.baseRemote), updatedOf(body)];
  return known !== undefined && seen !== undefined && Temporal.Instant.compare(seen, known) < 0;
}

/** Like `reconcile`, for a copy of that age. An older one brings nothing, and gets what we have. */
export function reconcileAged(copies: Copies, policy: ResourcePolicy, age: Age): Reconciled {
  if (age === 'newer') return reconcile(copies, policy);
  const { local, remote } = copies;
  if (age === 'older') return reconcile({ baseLocal: remote, baseRemote: remote, local, remote }, policy);
  const nothing: JsonObject = { resourceType: local.resourceType };
  return reconcile({ baseLocal: nothing, baseRemote: nothing, local, remote }, {});
}

/** True when both were written at the same moment, or nothing is known of one of them. */
export function sameMoment(left: JsonObject | undefined, right: JsonObject): boolean {
  const [before, now] = [left && updatedOf(left), updatedOf(right)];
  return !before || !now || Temporal.Instant.compare(before, now) === 0;
}

function versionOf({ meta }: JsonObject): string | undefined {
  return isJsonObject(meta) && typeof meta.versionId === 'string' ? meta.versionId : undefined;
}

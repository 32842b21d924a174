// One entry of a document and the resource that it is here: made, merged, or left as it is.
import type { Resource } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import type { Preference } from '../../fhir/merge3.ts';
import { narrative } from '../narrative.ts';
import { baseOf } from './base-of.ts';
import type { Difference } from './document-schema.ts';
import { entryLine } from './entry-line.ts';
import type { Found, Here } from './find-local.ts';
import { withCaseNamesOf } from './localise.ts';
import { withoutVersions, withVersionsOf } from './own-identifier.ts';
import { differencesOf } from './undecided.ts';

/** By item. */
export type Decisions = ReadonlyMap<string, 'ours' | 'theirs'>;

interface Reconciled {
  readonly change?: Change | undefined;
  /** All that a person has or had to decide. */
  readonly differences: readonly Difference[];
}

/** @param theirs the entry in the terms of this server */
export async function reconciled(
  here: Here,
  found: Found,
  theirs: Resource,
  decisions: Decisions,
): Promise<Reconciled> {
  const { local, role, type, id } = found;
  if (role === 'same') return { differences: [] };
  if (!local) return { change: { op: 'create', id, resource: theirs }, differences: [] };
  const base = role === 'frame' ? undefined : await baseOf(here, found);
  const isShared = type === 'Patient' || !here.exchange.isAboutPatients(type);
  // Whoever keeps the record of people and places keeps it; a document tells who they are, not what they have become.
  if (base === undefined && isShared) return { differences: [] };
  const ours = local as Resource;
  const copies = {
    base: base && withoutVersions(base),
    ours: withoutVersions(ours),
    theirs: withoutVersions(withCaseNamesOf(ours, theirs)),
    ...(role === 'frame' ? { otherwise: 'ours' as const } : {}),
  };
  const undecided = here.exchange.merge({ ...copies, decided: {} });
  const differences = differencesOf(`${type}/${id}`, undecided.conflicts);
  const decided: Record<string, Preference> = {};
  for (const { item, element } of differences) {
    const take = decisions.get(item);
    if (take !== undefined) decided[element] = take;
  }
  const merged = Object.keys(decided).length > 0 ? here.exchange.merge({ ...copies, decided }) : undecided;
  const { resource } = merged;
  if (!resource) return { differences };
  const next = withVersionsOf(retold(resource, ours), theirs, ours);
  return { change: { op: 'update', resource: next, ifMatch: local.meta.versionId }, differences };
}

/** Merging drops what was written from the data, which has changed; who reads only that must still find something. */
function retold(merged: Resource, ours: Resource): Resource {
  const told = (ours as { text?: unknown }).text;
  if (told === undefined || 'text' in merged) return merged;
  return { ...merged, text: narrative(entryLine(merged), []) } as Resource;
}

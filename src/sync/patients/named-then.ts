// A record there may stand for two of ours: the server merged them, or takes that back, and nobody here has said yet who is who.
// The common version says the same on both sides, so it tells whom the record meant in it. docs/patient-matching.md#merges-there
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { MappedContext } from '../context.ts';
import type { Link } from '../identity.ts';
import { type LinkMap, toLocalTerms } from '../mapping.ts';
import { inPresentTerms } from '../present-terms.ts';
import { idOfPatient } from './held.ts';
import { patientsOf } from './patient-reference.ts';

/** The map to read copies of a linked resource with: the one name that is another by now means whom it meant then. */
export async function asNamedThen(context: MappedContext, map: LinkMap, link: Link | undefined): Promise<LinkMap> {
  if (!link?.baseLocal || !link.baseRemote) return map;
  const theirs = patientsOf(link.baseRemote).flatMap((reference) => {
    const id = idOfPatient(reference, context.mapping.remoteBase);
    const localId = id === undefined ? undefined : map.localOf('Patient', id);
    return id === undefined || localId === undefined ? [] : [{ id, localId }];
  });
  // Nearly always both sides name the same, and nothing has to be asked of the store.
  const kept = idsIn(link.baseLocal);
  if (theirs.every(({ localId }) => kept.includes(localId))) return map;
  const there = toLocalTerms(context.mapping, map, link.baseRemote).body;
  const [common, read] = await inPresentTerms(context, [link.baseLocal, there] as const, map);
  const ours = idsIn(common);
  // Whom it names by our identifier is meant by no other name.
  const named = idsIn(read);
  const [other, second] = theirs.filter(({ localId }) => !ours.includes(localId));
  const [meant, another] = ours.filter((one) => !named.includes(one));
  if (!other || second || meant === undefined || another !== undefined) return map;
  return {
    ...map,
    localOf: (type, id) => (type === 'Patient' && id === other.id ? meant : map.localOf(type, id)),
  };
}

function idsIn(local: JsonObject): string[] {
  return patientsOf(local).flatMap((reference) => /^Patient\/([^/]+)/.exec(reference)?.[1] ?? []);
}

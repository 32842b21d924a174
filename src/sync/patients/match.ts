// Which local resource a remote one without a link is, if any. An exact business identifier decides, for patients also what
// the records say where the site wants that; whatever is merely possible waits for a person. docs/sync-spec.md#I8
import type { Patient } from '@medplum/fhirtypes';
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';
import { compareIdentifiers, type Trusts } from '../../fhir/patient-match/compare-identifiers.ts';
import { compareNames } from '../../fhir/patient-match/compare-names.ts';
import { patientFrom } from '../../fhir/patient-match/patient-from.ts';
import type { MatchScore } from '../../fhir/patient-match/rules.ts';
import { scoreMatch } from '../../fhir/patient-match/score.ts';
import { tokenText } from '../../fhir/search/token-text.ts';
import type { Store, StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import { pushes } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { type Link, readLink } from '../identity.ts';
import { readLinkMap } from '../link-map.ts';
import { carriesIdentifier, ownIdentifierOf, remoteTargets, toLocalTerms } from '../mapping.ts';
import { readUnseen } from '../unseen.ts';
import { readAlias } from './alias.ts';
import { type CandidateReason, knownOthers } from './identity-question.ts';
import { inUseFor } from './in-use.ts';
import type { PatientMatching } from './match-rules.ts';
import { alikePatients, findFew } from './patient-candidates.ts';
import { patientsOf } from './patient-reference.ts';

export type Match =
  | { readonly kind: 'none'; readonly sought: Sought }
  /** Ours, which the server may have lost under another id: once that is known, a push finds it. */
  | { readonly kind: 'later' }
  | Found;

type Found =
  | { readonly kind: 'ours' | 'identifier' | 'rules'; readonly stored: StoredVersion }
  /** Ours was linked with this very record, and has no other one. */
  | { readonly kind: 'former'; readonly stored: StoredVersion; readonly link: Link }
  /** Perhaps one of these, likeliest first, or a second copy of it. */
  | {
      readonly kind: 'unclear';
      readonly why: 'identity' | 'duplicate';
      readonly stored: StoredVersion;
      readonly candidates: readonly Likeness[];
    };

/** What was looked for in vain, so that whoever comes meanwhile is judged by the same measure. */
export interface Sought {
  /** The remote record, without the numbers that tell nobody apart. */
  readonly record: JsonObject;
  /** Ours of whom a person said that they are others. */
  readonly others: ReadonlySet<string>;
  /** Ours that were looked at and have another record there. */
  readonly linked: ReadonlySet<string>;
}

/** How like a local resource the remote one is. */
export interface Likeness {
  readonly stored: StoredVersion;
  readonly why: CandidateReason;
  readonly score: MatchScore | undefined;
  /** They share a number that decides alone, and nothing else says that they are two. */
  readonly certain: boolean;
  /** It has another record on the remote. */
  readonly linked: boolean;
  /** A closed record said so, for which it stands. */
  readonly isHint?: true;
}

/** @param formerLink of a record that was gone there, so that it was let go, and that is back: undeleted, or from a backup */
export async function findMatch(
  context: RunContext,
  type: string,
  remote: JsonObject,
  remoteId: string,
  formerLink: Link | undefined,
): Promise<Match> {
  const { store, connection } = context;
  const others = await knownOthers(store, connection.name, type, remoteId);
  // What referred to it meant ours (let-go-terms.ts), so it is ours itself. Patients are known by what they say: a server that was
  // restored may give the id to somebody else.
  const former = type === 'Patient' ? undefined : formerLink;
  const named = ownIdentifierOf(context.mapping, remote);
  const ours = named ?? former?.localId;
  if (ours !== undefined && !others.has(ours)) {
    const stored = await store.read(type, ours);
    const isHere = stored !== undefined && stored.operation !== 'delete';
    if (isHere && (named !== undefined || (await isOfSamePatient(context, remote, stored)))) {
      const link = await readLink(store, connection.name, type, ours);
      if (link && named !== undefined && (await isFoundByPush(context, link))) return { kind: 'later' };
      const linked = link !== undefined;
      if (!linked && former?.localId === ours) return { kind: 'former', stored, link: former };
      if (!linked) return { kind: 'ours', stored };
      const why = named === undefined ? 'earlier-record' : 'own-identifier';
      const likeness: Likeness = { stored, why, score: undefined, certain: false, linked };
      return { kind: 'unclear', stored, why: 'duplicate', candidates: [likeness] };
    }
  }
  const { found, sought } = await alikeness(context, type, remote, others);
  const match = decide(context.matching, found);
  if (match.kind !== 'none') return match;
  const said = type === 'Patient' ? await saidToBe(context, remoteId, others) : undefined;
  return said ?? { ...match, sought };
}

/** A replaced server has not shown the record that ours is linked with, and makes none while there is one with our identifier. */
async function isFoundByPush({ store, capability, connection }: RunContext, link: Link): Promise<boolean> {
  const { type, remoteId, how } = link;
  if (how !== 'created-by-us' || !pushes(connection, type)) return false;
  if (!capability.conditionalCreate(type) || !carriesIdentifier(type)) return false;
  return (await readUnseen(store, connection.name, type, remoteId)) !== undefined;
}

/** Ours whom a person took it for a second record of; asked again once their own is gone there (remote-merge.ts). */
async function saidToBe(
  { store, connection }: RunContext,
  remoteId: string,
  others: ReadonlySet<string>,
): Promise<Found | undefined> {
  const alias = await readAlias(store, connection.name, 'Patient', remoteId);
  if (!alias || alias.how === 'merged' || others.has(alias.localId)) return undefined;
  const stored = await store.read('Patient', alias.localId);
  if (!stored || stored.operation === 'delete') return undefined;
  const likeness: Likeness = { stored, why: 'earlier-record', score: undefined, certain: false, linked: true };
  return { kind: 'unclear', stored, why: 'duplicate', candidates: [likeness] };
}

/** A server that was restored may have given the id to a record about somebody else. */
async function isOfSamePatient(
  { store, connection, mapping }: RunContext,
  remote: JsonObject,
  { content }: StoredVersion,
): Promise<boolean> {
  const map = await readLinkMap(store, connection.name, [], remoteTargets(mapping, remote));
  const [there, here] = [patientsOf(toLocalTerms(mapping, map, remote).body), patientsOf(parseBody(content))];
  return there.length + here.length === 0 || there.some((patient) => here.includes(patient));
}

/** What the likenesses come to. */
export function decide(matching: PatientMatching, found: readonly Likeness[]): { readonly kind: 'none' } | Found {
  const [first, second] = found;
  if (!first) return { kind: 'none' };
  const alone = second === undefined && !first.linked && !first.isHint;
  // Whoever is merely like the one whose number it is does not make it doubtful.
  const numbered = found.filter(({ certain }) => certain);
  const [only, another] = numbered;
  if (only && !another && !only.linked && found.every(({ why, certain }) => certain || why === 'rules')) {
    return { kind: 'identifier', stored: only.stored };
  }
  if (alone && matching.automatic && first.why === 'rules' && first.score?.verdict === 'match') {
    return { kind: 'rules', stored: first.stored };
  }
  return { kind: 'unclear', stored: first.stored, why: first.linked ? 'duplicate' : 'identity', candidates: found };
}

async function alikeness(
  context: RunContext,
  type: string,
  remote: JsonObject,
  others: ReadonlySet<string>,
): Promise<{ readonly found: Likeness[]; readonly sought: Sought }> {
  const { store, connection } = context;
  const { holders, record } = await holdersOfNumbers(store, type, remote);
  const stored = new Map(holders.map((one) => [one.id, one]));
  const linked = new Set<string>();
  if (type === 'Patient' && context.matching.rules) {
    for (const one of await alikePatients(store, remote)) stored.set(one.id, one);
  }
  const found = new Map<string, Likeness>();
  for (const one of stored.values()) {
    const inUse = await inUseFor(store, one);
    if (!inUse || others.has(one.id) || others.has(inUse.id)) continue;
    if (await readLink(store, connection.name, type, inUse.id)) linked.add(inUse.id);
    const likeness = likenessOf(context.matching, one, record, linked.has(inUse.id));
    if (!likeness) continue;
    // What a closed record says is no more than a hint at the one that stands for it.
    if (inUse === one) found.set(one.id, likeness);
    else if (!found.has(inUse.id)) found.set(inUse.id, { ...likeness, stored: inUse, certain: false, isHint: true });
  }
  return { found: [...found.values()].sort(likeliestFirst), sought: { record, others, linked } };
}

/** Organizations and practitioners have no numbers that people mistype at a desk. */
const ANY: Trusts = ({ system }) => system !== undefined;

export function likeliestFirst(a: Likeness, b: Likeness): number {
  const rank = ({ certain, why, score }: Likeness) =>
    (certain ? 2_000 : why === 'identifier' ? 1_000 : 0) + (score?.total ?? 0);
  return rank(b) - rank(a) || (a.stored.id < b.stored.id ? -1 : 1);
}

/** Undefined when they are not alike enough to ask. */
export function likenessOf(
  matching: PatientMatching,
  stored: StoredVersion,
  remote: JsonObject,
  linked: boolean,
): Likeness | undefined {
  const like = compareRecords(matching, parseBody(stored.content), remote, linked);
  return like && { ...like, stored, linked };
}

/** The same of a body. @param linked the local one has another record on the remote */
export function compareRecords(
  { rules, trusts }: PatientMatching,
  local: JsonObject,
  remote: JsonObject,
  linked: boolean,
): Pick<Likeness, 'why' | 'score' | 'certain'> | undefined {
  const [here, there] = [patientFrom(local), patientFrom(remote)];
  const isPatient = remote.resourceType === 'Patient';
  const { shared, contradicts: numbersDiffer } = compareIdentifiers(here, there, isPatient ? trusts : ANY);
  const score = rules && isPatient ? scoreMatch(here, there, rules, trusts) : undefined;
  if (shared) {
    const certain = !numbersDiffer && !contradicts(remote, local) && !hasOtherName(here, there);
    return { why: 'identifier', score, certain };
  }
  // The server itself keeps its records apart: only one that could be linked without a word is worth the question.
  const worth = linked ? score?.verdict === 'match' : score !== undefined && score.verdict !== 'no';
  return worth ? { why: 'rules', score, certain: false } : undefined;
}

/**
 * Whoever here has one of a record's numbers, and the record without the numbers that more than a thousand of ours have:
 * such a number is a placeholder and decides nothing.
 */
export async function holdersOfNumbers(
  store: Pick<Store, 'find'>,
  type: string,
  record: JsonObject,
): Promise<{ readonly holders: readonly StoredVersion[]; readonly record: JsonObject }> {
  const identifiers = Array.isArray(record.identifier) ? record.identifier : [];
  const telling: Json[] = [];
  const holders: StoredVersion[] = [];
  for (const identifier of identifiers) {
    const token = tokenOf(identifier);
    const few = token === undefined ? [] : await findFew(store, `${type}?identifier=${encodeURIComponent(token)}`);
    if (!few) continue;
    telling.push(identifier);
    holders.push(...few);
  }
  return { holders, record: telling.length === identifiers.length ? record : { ...record, identifier: telling } };
}

/** `system|value`, escaped; undefined without both, because a bare number says nothing about who gave it. */
export function tokenOf(identifier: Json): string | undefined {
  if (!isJsonObject(identifier)) return undefined;
  const { system, value } = identifier;
  if (typeof system !== 'string' || typeof value !== 'string' || system === '' || value === '') return undefined;
  return tokenText(system, value);
}

/** The same number on people born on different days is a typing error or a reused number, not a match. */
function contradicts(remote: JsonObject, local: JsonObject): boolean {
  const [there, here] = [remote.birthDate, local.birthDate];
  if (typeof there !== 'string' || typeof here !== 'string') return false;
  return !there.startsWith(here) && !here.startsWith(there);
}

/** Nothing says that they are one, and the birth date and the name of the family that they are two. */
export function areTwo({ trusts }: PatientMatching, left: JsonObject, right: JsonObject): boolean {
  const [one, other] = [patientFrom(left), patientFrom(right)];
  if (compareIdentifiers(one, other, trusts).shared || !contradicts(left, right)) return false;
  return compareNames(one, other, { nicknames: [] }).family === 'different';
}

/** Neither name agrees in the least: the number was given to somebody else. A marriage changes one of them only. */
function hasOtherName(left: Patient, right: Patient): boolean {
  const { family, given } = compareNames(left, right, { nicknames: [] });
  return family === 'different' && given === 'different';
}

// Which resource here an entry of a document is: by the name it left here with, by an earlier document, by a number that
// both know, or by the id that it got when it was made here; else there is none yet.
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { tokenText } from '../../fhir/search/token-text.ts';
import { CASE_TYPE } from '../cases/episode.ts';
import { caseOfPlan, planOfCase } from '../cases/find-cases.ts';
import { hasCode } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import { findReadable } from '../find-readable.ts';
import type { Kept, Records } from '../records.ts';
import { EXTENSION, IDENTIFIER } from '../systems.ts';
import type { EarlierImport } from './earlier-imports.ts';
import type { Exchange } from './exchange.ts';
import { identifiersOf, ownIdentifierOf } from './own-identifier.ts';
import type { Brought, ReadDocument } from './read-document.ts';
import { isOfAnother } from './whose.ts';

type AnyKept = Kept<ResourceType>;

export interface Found {
  readonly entry: Brought;
  readonly type: ResourceType;
  readonly id: string;
  /** Undefined: to be made with this id. */
  readonly local: AnyKept | undefined;
  /** `frame`: the case's own plan, which is not made from the document; `same`: the case, which is never changed. */
  readonly role: 'resource' | 'frame' | 'same';
}

export interface Here {
  readonly records: Records;
  readonly exchange: Exchange;
  readonly episode: Kept<'EpisodeOfCare'>;
  readonly patient: Kept<'Patient'>;
  readonly earlier: readonly EarlierImport[];
}

export async function findLocal(here: Here, document: ReadDocument): Promise<Found[]> {
  const { patient, episode } = here;
  const numbered = await byIdentifier(here, document.entries);
  const main = mainPlan(document);
  const theirCases = casesOf(document, main);
  const found: Found[] = [
    { entry: document.patient, type: 'Patient', id: patient.id, local: patient, role: 'resource' },
  ];
  const taken = new Set<string>();
  for (const entry of document.entries) {
    const type = entry.resource.resourceType as ResourceType;
    if (theirCases.has(entry.fullUrl)) {
      found.push({ entry, type, id: episode.id, local: episode, role: 'same' });
      continue;
    }
    const local = (await known(here, entry)) ?? numbered(entry) ?? (await made(here, entry));
    if (entry === main) refuseOtherCase(here, entry, local);
    const frame = local === undefined && entry === main ? await planOfCase(here.records, episode.id) : undefined;
    const one = local ?? frame;
    // Two of the document's that are one here would each undo what the other says.
    const isTaken = one !== undefined && taken.has(`${type}/${one.id}`);
    if (one && !isTaken) taken.add(`${type}/${one.id}`);
    found.push({
      ...{ entry, type },
      id: one && !isTaken ? one.id : derivedId('document', entry.fullUrl),
      local: isTaken ? undefined : one,
      role: frame ? 'frame' : 'resource',
    });
  }
  return found;
}

/** The plan that the document is about: the first that a section shows. */
function mainPlan({ composition, entries, resolve }: ReadDocument): Brought | undefined {
  const shown = (composition.section ?? []).flatMap(({ entry = [] }) =>
    entry.flatMap(({ reference }) => reference ?? []),
  );
  const first = { fullUrl: '', resource: composition };
  const urls = shown.map((reference) => resolve(first, reference) ?? reference);
  const plans = entries.filter(({ resource }) => resource.resourceType === 'CarePlan');
  return plans.find(({ fullUrl }) => urls.includes(fullUrl)) ?? (plans.length === 1 ? plans[0] : undefined);
}

/** @throws Fault conflict: of two cases, each would take what the other decides */
function refuseOtherCase({ episode }: Here, { place }: Brought, plan: AnyKept | undefined): void {
  const other = plan?.resourceType === 'CarePlan' ? caseOfPlan(plan) : undefined;
  if (other === undefined || other === episode.id) return;
  throw new Fault('conflict', `The plan of the document is the plan of another case: EpisodeOfCare/${other}.`, {
    code: 'business-rule',
    expression: place,
  });
}

/** Full URLs of the cases that the plan is of, where it is from. */
function casesOf({ entries, resolve }: ReadDocument, main: Brought | undefined): Set<string> {
  if (main?.resource.resourceType !== 'CarePlan') return new Set();
  const { supportingInfo = [], extension = [] } = main.resource;
  const named = extension.flatMap(({ url, valueReference }) =>
    url === EXTENSION.episodeOfCare ? (valueReference ?? []) : [],
  );
  const urls = new Set([...named, ...supportingInfo].flatMap(({ reference }) => resolve(main, reference ?? '') ?? []));
  const [system = '', code = ''] = CASE_TYPE.split('|');
  return new Set(
    entries.flatMap(({ fullUrl, resource }) =>
      urls.has(fullUrl) &&
      resource.resourceType === 'EpisodeOfCare' &&
      resource.type?.some((each) => hasCode(each, system, code))
        ? fullUrl
        : [],
    ),
  );
}

/** It left from here, or came with an earlier document. */
async function known(here: Here, { fullUrl, resource }: Brought): Promise<AnyKept | undefined> {
  const { records, exchange, earlier } = here;
  const type = resource.resourceType as ResourceType;
  const own = ownIdentifierOf(exchange, resource);
  const names = [
    ...(own ? [`${type}/${own.id}`] : []),
    ...(fullUrl.startsWith(`${exchange.fhirBase}/`) ? [fullUrl.slice(exchange.fhirBase.length + 1)] : []),
    ...earlier.flatMap((one) => one.names.get(fullUrl) ?? []),
  ];
  for (const name of names) {
    const target = parseLiteral(name);
    const local = target?.type === type ? await records.read(type, target.id) : undefined;
    if (local && isFor(here, local)) return local;
  }
  return undefined;
}

async function made(here: Here, { fullUrl, resource }: Brought): Promise<AnyKept | undefined> {
  const local = await here.records.read(resource.resourceType as ResourceType, derivedId('document', fullUrl));
  return local && isFor(here, local) ? local : undefined;
}

const isFor = ({ patient }: Here, local: AnyKept) => !isOfAnother(local, patient.id);

const AT_ONCE = 40;

/** The oldest that has a number of the entry's. */
async function byIdentifier(here: Here, entries: readonly Brought[]) {
  const wanted = new Map<string, Set<string>>();
  for (const { resource } of entries) {
    if (resource.resourceType === 'EpisodeOfCare') continue;
    const tokens = tokensOf(resource);
    const ofType = wanted.get(resource.resourceType) ?? new Set();
    for (const token of tokens) ofType.add(token);
    wanted.set(resource.resourceType, ofType);
  }
  const found = new Map<string, AnyKept>();
  for (const [type, tokens] of wanted) {
    const all = [...tokens];
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const identifier = all.slice(at, at + AT_ONCE).join(',');
      for (const each of await findReadable(here.records, type as ResourceType, { identifier })) {
        if (!isFor(here, each)) continue;
        for (const token of tokensOf(each as Resource)) {
          const key = `${type} ${token}`;
          if (!found.has(key)) found.set(key, each);
        }
      }
    }
  }
  return ({ resource }: Brought) =>
    tokensOf(resource)
      .map((token) => found.get(`${resource.resourceType} ${token}`))
      .find((each) => each !== undefined);
}

function tokensOf(resource: Resource): string[] {
  return identifiersOf(resource).flatMap(({ system, value }) =>
    system && value && system !== IDENTIFIER.casePlan ? tokenText(system, value) : [],
  );
}

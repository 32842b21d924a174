// What a document about a plan is made of: what its sections show and everything that leads from there, as far as who asks
// may read it.
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { collectReferences, parseLiteral } from '../../fhir/references.ts';
import type { Kept, PagedRecords } from '../records.ts';
import { type Search, TOC_SECTIONS, type TocSection } from './toc-sections.ts';
import { isOfAnother } from './whose.ts';

type AnyKept = Kept<ResourceType>;

export interface GatheredSection extends TocSection {
  readonly entries: readonly AnyKept[];
  /** Types of which who asks may read nothing. */
  readonly withheld: readonly string[];
  /** There is more than the newest. */
  readonly isCut: boolean;
}

export interface Gathered {
  readonly plan: Kept<'CarePlan'>;
  readonly patient: Kept<'Patient'>;
  readonly episode: Kept<'EpisodeOfCare'> | undefined;
  readonly sections: readonly GatheredSection[];
  /** By `Type/id`: all of it, each once. */
  readonly resources: ReadonlyMap<string, AnyKept>;
  /** `Type/id` of what is referred to and not in it. */
  readonly missing: ReadonlySet<string>;
}

/** Of one kind of a record's entries: a document is read by people. */
const NEWEST = 50;
/** A document stays one that can be sent. */
const MOST = 2_000;
const AT_ONCE = 100;
/** About others than the patient, or about the record itself. */
const NEVER: ReadonlySet<string> = new Set(['AuditEvent', 'Binary', 'Bundle', 'Composition', 'Consent', 'Provenance']);

export interface Focus {
  readonly plan: Kept<'CarePlan'>;
  readonly patient: Kept<'Patient'>;
  readonly episode: Kept<'EpisodeOfCare'> | undefined;
}

export async function gather(records: PagedRecords, focus: Focus): Promise<Gathered> {
  const sections: GatheredSection[] = [];
  for (const section of TOC_SECTIONS) sections.push(await gatherSection(records, focus, section));
  const { patient, plan, episode } = focus;
  const first = [patient, plan, ...(episode ? [episode] : []), ...sections.flatMap(({ entries }) => entries)];
  return { ...focus, sections, ...(await followAll(records, first, patient.id)) };
}

async function gatherSection(records: PagedRecords, focus: Focus, section: TocSection): Promise<GatheredSection> {
  const { source } = section;
  if (source === 'plan') return { ...section, entries: [focus.plan], withheld: [], isCut: false };
  if (source === 'referral') return { ...section, ...(await referralsOf(records, focus)) };
  const entries = new Map<string, AnyKept>();
  const withheld = new Set<string>();
  let isCut = false;
  for (const one of source) {
    const found = await newest(records, one, focus.patient.id);
    if (found === 'withheld') withheld.add(one.type);
    else {
      isCut ||= found.next !== undefined;
      for (const each of found.items) if (!isWrong(each)) entries.set(keyOf(each), each);
    }
  }
  return { ...section, entries: [...entries.values()], withheld: [...withheld], isCut };
}

/** Entered in error: it is kept, and tells nobody anything. */
function isWrong(resource: AnyKept): boolean {
  const { status, verificationStatus } = resource as { status?: unknown; verificationStatus?: { coding?: object[] } };
  const codings = (verificationStatus?.coding ?? []) as { code?: string }[];
  return status === 'entered-in-error' || codings.some(({ code }) => code === 'entered-in-error');
}

async function newest(records: PagedRecords, { type, search = {} }: Search, patient: string) {
  try {
    const criteria = { ...search, patient: `Patient/${patient}`, _sort: '-_lastUpdated' };
    return await records.page(type, criteria, { most: NEWEST });
  } catch (error) {
    if (error instanceof Fault && error.kind === 'forbidden') return 'withheld';
    throw error;
  }
}

async function referralsOf(records: PagedRecords, { episode, patient }: Focus) {
  const ids = (episode?.referralRequest ?? []).flatMap(({ reference }) => {
    const target = parseLiteral(reference ?? '');
    return target?.type === 'ServiceRequest' ? target.id : [];
  });
  const { found, isWithheld } = await readMany(records, 'ServiceRequest', ids);
  const entries = found.filter((each) => !isOfAnother(each, patient.id));
  return { entries, withheld: isWithheld ? ['ServiceRequest'] : [], isCut: false };
}

/** Everything that references lead to, but for other patients and what is about them. */
async function followAll(records: PagedRecords, first: readonly AnyKept[], patient: string) {
  const resources = new Map<string, AnyKept>();
  const missing = new Set<string>();
  let found = first;
  while (found.length > 0) {
    for (const each of found) {
      if (resources.size < MOST && !isOfAnother(each, patient)) resources.set(keyOf(each), each);
    }
    const wanted = new Set(found.flatMap(targetsOf).filter((key) => !resources.has(key) && !missing.has(key)));
    found = await readAll(records, wanted);
    for (const each of found) if (isOfAnother(each, patient) || resources.size >= MOST) missing.add(keyOf(each));
    const got = new Set(found.map(keyOf));
    for (const key of wanted) if (!got.has(key)) missing.add(key);
    found = found.filter((each) => !missing.has(keyOf(each)));
  }
  return { resources, missing };
}

async function readAll(records: PagedRecords, keys: ReadonlySet<string>): Promise<AnyKept[]> {
  const byType = Map.groupBy(keys, (key) => key.split('/')[0] as ResourceType);
  const all: AnyKept[] = [];
  for (const [type, ofType] of byType) {
    if (NEVER.has(type)) continue;
    const { found } = await readMany(
      records,
      type,
      ofType.map((key) => key.split('/')[1] ?? ''),
    );
    all.push(...found);
  }
  return all;
}

async function readMany(records: PagedRecords, type: ResourceType, ids: readonly string[]) {
  const found: AnyKept[] = [];
  try {
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      found.push(...(await records.find(type, { _id: ids.slice(at, at + AT_ONCE).join(',') })));
    }
    return { found, isWithheld: false };
  } catch (error) {
    if (error instanceof Fault && error.kind === 'forbidden') return { found: [], isWithheld: true };
    throw error;
  }
}

/** `Type/id` of what a resource refers to here. */
function targetsOf(resource: AnyKept): string[] {
  return collectReferences(resource as Resource).flatMap((reference) => {
    const target = parseLiteral(reference);
    return target && target.version === undefined ? `${target.type}/${target.id}` : [];
  });
}

export const keyOf = ({ resourceType, id }: { readonly resourceType: string; readonly id: string }) =>
  `${resourceType}/${id}`;

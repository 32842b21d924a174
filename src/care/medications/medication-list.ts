// A List as one of the three lists of a reconciliation. Its lines are contained MedicationStatements, so that a signed list
// says later what it said when it was signed; entries that others wrote may lead elsewhere.
import type { List, ListEntry, Medication, MedicationStatement } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { claims } from '../claimed-profiles.ts';
import { concept } from '../concept.ts';
import type { Records } from '../records.ts';
import type { Link } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { LIST_KINDS, type ListKind, type Taken } from './compare-lists.ts';
import {
  conceptIn,
  dosagesOf,
  lineOf,
  type MedicationLine,
  type MedicationResource,
  statementOf,
  takenOf,
} from './medication-line.ts';

/** Why a list has no lines. http://terminology.hl7.org/CodeSystem/list-empty-reason */
export const NO_LINES = ['nilknown', 'unavailable', 'notstarted'] as const;
export type NoLines = (typeof NO_LINES)[number];

const EMPTY_WORDS = { nilknown: 'Nil Known', unavailable: 'Unavailable', notstarted: 'Not Started' } as const;
const EMPTY_REASON = 'http://terminology.hl7.org/CodeSystem/list-empty-reason';

const CODES: Readonly<Record<ListKind, readonly [loinc: string, display: string, title: string]>> = {
  'before-admission': ['42346-7', 'Medications on admission (narrative)', 'Before admission'],
  'at-discharge': ['10183-2', 'Hospital discharge medications Narrative', 'At discharge'],
  current: ['10160-0', 'History of Medication use Narrative', 'Current'],
};

export function kindOf({ code }: List): ListKind | undefined {
  const said = code?.coding?.find(({ system }) => system === CODE_SYSTEM.medicationList)?.code;
  return LIST_KINDS.find((kind) => kind === said);
}

/** Something that a line is made from, with the medication that it refers to. */
export interface Source {
  readonly resource: MedicationResource & { id: string };
  readonly medication?: Medication | undefined;
}

export function writeList(
  kind: ListKind,
  subject: Link,
  sources: readonly Source[],
  date: string,
  who: List['source'],
): List {
  const [loinc, display, title] = CODES[kind];
  const code = concept(CODE_SYSTEM.medicationList, kind, title);
  const list: List = {
    resourceType: 'List',
    meta: claims('baton-medication-list'),
    status: 'current',
    mode: 'working',
    title: `Medications: ${title.toLowerCase()}`,
    code: { ...code, coding: [...(code.coding ?? []), { system: 'http://loinc.org', code: loinc, display }] },
    subject,
    date,
    ...(who ? { source: who } : {}),
  };
  if (sources.length === 0) return emptied(list, 'notstarted');
  const contained = sources.map(({ resource, medication }, at): MedicationStatement => {
    const named = conceptIn(resource, medication) ?? { text: 'Unnamed medication' };
    const dosage = dosagesOf(resource);
    return {
      resourceType: 'MedicationStatement',
      id: `line-${at + 1}`,
      status: 'active',
      medicationCodeableConcept: named,
      subject,
      derivedFrom: [{ reference: `${resource.resourceType}/${resource.id}` }],
      ...(dosage ? { dosage } : {}),
    };
  });
  return { ...list, contained, entry: contained.map(({ id }) => ({ item: { reference: `#${id}` } })) };
}

export function emptied(list: List, reason: NoLines): List {
  const { entry: _, contained: __, emptyReason: ___, ...rest } = list;
  const kept = (list.contained ?? []).filter(({ id }) => !linesIn(list).has(`#${id}`));
  return {
    ...rest,
    ...(kept.length > 0 ? { contained: kept } : {}),
    emptyReason: concept(EMPTY_REASON, reason, EMPTY_WORDS[reason]),
  };
}

export interface ListLine {
  readonly line: MedicationLine;
  readonly taken: Taken;
  /** What it was made from, or is. */
  readonly source: string | undefined;
  readonly entry: ListEntry;
  readonly resource: MedicationResource;
}

/** The lines that can be read, in their order. */
export async function readLines(records: Records, list: List): Promise<ListLine[]> {
  const entries = (list.entry ?? []).filter(({ deleted }) => deleted !== true);
  const lines = await Promise.all(entries.map((entry) => readLine(records, list, entry)));
  return lines.flatMap((line) => line ?? []);
}

async function readLine(records: Records, list: List, entry: ListEntry): Promise<ListLine | undefined> {
  const { reference = '' } = entry.item;
  const resource = reference.startsWith('#') ? containedIn(list, reference) : await readItem(records, reference);
  if (!resource) return undefined;
  const id = reference.replace(/^#/, '');
  const medication = await medicationOf(records, resource);
  const source = reference.startsWith('#') ? (resource as MedicationStatement).derivedFrom?.[0]?.reference : reference;
  return { line: lineOf(resource, id, medication), taken: takenOf(resource, id, medication), source, entry, resource };
}

/**
 * The list with these lines. A line with the id of one that is there stays that one; lines that are left out leave the list.
 * @throws Fault unprocessable for an id that no line has, or that two have
 */
export function withLines(
  list: List,
  before: readonly ListLine[],
  lines: readonly MedicationLine[],
  member: string,
): List {
  const known = new Map(before.map((one) => [one.line.id, one]));
  const seen = new Set<string>();
  const taken = new Set((list.contained ?? []).map(({ id }) => id));
  const contained: MedicationStatement[] = [];
  let next = 1;
  const newId = () => {
    while (taken.has(`line-${next}`)) next++;
    taken.add(`line-${next}`);
    return `line-${next}`;
  };
  const entry = lines.map((line, at): ListEntry => {
    if (line.id !== undefined && seen.has(line.id))
      throw lineFault(`${member}[${at}].id is given twice.`, `${member}[${at}].id`);
    const old = line.id === undefined ? undefined : known.get(line.id);
    if (line.id !== undefined && !old)
      throw lineFault(`${member}[${at}].id is not a line of this list.`, `${member}[${at}].id`);
    if (line.id !== undefined) seen.add(line.id);
    const isContained = old?.entry.item.reference?.startsWith('#') ?? false;
    if (old && !isContained && JSON.stringify(old.line) === JSON.stringify({ ...old.line, ...line })) return old.entry;
    const id = isContained && line.id !== undefined ? line.id : newId();
    contained.push({ ...(statementOf(line, statementBefore(list, old)) as MedicationStatement), id });
    return { ...(old?.entry ?? {}), item: { ...(isContained ? old?.entry.item : {}), reference: `#${id}` } };
  });
  if (entry.length === 0) throw lineFault('Lines are missing; say why the list is empty instead.', member);
  const others = (list.contained ?? []).filter(({ id }) => !linesIn(list).has(`#${id}`));
  const { emptyReason: _, contained: __, ...rest } = list;
  const all = [...others, ...contained];
  return { ...rest, ...(all.length > 0 ? { contained: all } : {}), entry };
}

function statementBefore(list: List, old: ListLine | undefined): Omit<MedicationStatement, 'id'> {
  if (old?.resource.resourceType === 'MedicationStatement' && old.entry.item.reference?.startsWith('#'))
    return old.resource;
  const dosage = old ? dosagesOf(old.resource) : undefined;
  return {
    resourceType: 'MedicationStatement',
    status: 'active',
    medicationCodeableConcept: (old && conceptIn(old.resource)) ?? { text: '' },
    subject: list.subject as MedicationStatement['subject'],
    ...(old?.source ? { derivedFrom: [{ reference: old.source }] } : {}),
    ...(dosage ? { dosage } : {}),
  };
}

function linesIn({ entry = [] }: List): Set<string | undefined> {
  return new Set(entry.map(({ item }) => item.reference));
}

function containedIn({ contained = [] }: List, reference: string): MedicationResource | undefined {
  const found = contained.find(({ id }) => `#${id}` === reference);
  return found && isMedicationResource(found) ? found : undefined;
}

async function readItem(records: Records, reference: string): Promise<MedicationResource | undefined> {
  const target = parseLiteral(reference);
  const type = MEDICATION_TYPES.find((one) => one === target?.type);
  return target && type ? ((await records.read(type, target.id)) as MedicationResource | undefined) : undefined;
}

const MEDICATION_TYPES = [
  'MedicationStatement',
  'MedicationRequest',
  'MedicationAdministration',
  'MedicationDispense',
] as const;

function isMedicationResource(resource: { resourceType: string }): resource is MedicationResource {
  return (MEDICATION_TYPES as readonly string[]).includes(resource.resourceType);
}

/** The Medication that a resource refers to, where it names none itself. */
export async function medicationOf(records: Records, resource: MedicationResource): Promise<Medication | undefined> {
  const { medicationReference } = resource;
  const local = medicationReference?.reference?.startsWith('#') ? (resource.contained ?? []) : [];
  const contained = local.find(({ id }) => `#${id}` === medicationReference?.reference);
  if (contained?.resourceType === 'Medication') return contained;
  const id = idOf(medicationReference, 'Medication');
  return id === undefined ? undefined : records.read('Medication', id);
}

function lineFault(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}

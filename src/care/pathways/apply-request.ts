// What $apply is asked with, in the terms of the engine: whom, by whom, over which records, with which choice.
import type { Bundle, CarePlan, Encounter, Organization, Patient, Practitioner, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import type { Locale } from '../apply/amount.ts';
import { applyActivity } from '../apply/apply-activity.ts';
import { type ApplyOptions, applyPathway } from '../apply/apply-pathway.ts';
import { runCql } from '../apply/cql.ts';
import type { Facts } from '../apply/expression.ts';
import { NO_CQL, readFacts, type Subject } from '../apply/facts.ts';
import { proposeContained, proposeSeparate } from '../apply/proposal.ts';
import type { Caller, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import { membersOf } from './case-team.ts';
import type { ReadPathway } from './pathway-library.ts';

/** References as they were given, e.g. `Patient/12`. */
export interface ApplyRequest {
  readonly subject: string;
  readonly encounter?: string | undefined;
  readonly practitioner?: string | undefined;
  readonly organization?: string | undefined;
  /** Variables by name. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** R4: the CarePlan with everything contained; nothing is stored. */
export async function proposePlan(
  read: ReadPathway,
  request: ApplyRequest,
  { records, caller, locale }: Surroundings,
): Promise<CarePlan> {
  const { facts, options } = await prepare(read, request, { records, caller, locale });
  return withinTime(() => proposeContained(applyPathway(read.pathway, facts, options), options));
}

/** CPG: the same as a Bundle of separate resources. */
export async function proposeBundle(read: ReadPathway, request: ApplyRequest, around: Surroundings): Promise<Bundle> {
  const { facts, options } = await prepare(read, request, around);
  return withinTime(() => proposeSeparate(applyPathway(read.pathway, facts, options), options));
}

/** The draft of one activity. */
export async function proposeActivity(
  read: ReadPathway,
  request: ApplyRequest,
  around: Surroundings,
): Promise<Resource> {
  const { facts, options } = await prepare(read, request, around);
  return withinTime(() => applyActivity(read.pathway, facts, options));
}

export interface Surroundings {
  readonly records: Records;
  readonly caller: Caller;
  readonly locale: Locale;
}

async function prepare({ pathway, lookup }: ReadPathway, request: ApplyRequest, around: Surroundings) {
  const { records, caller, locale } = around;
  const now = caller.now.round({ smallestUnit: 'second', roundingMode: 'floor' });
  const subject = await readSubject(request, records, now, locale);
  const { patient, encounter } = subject;
  const cql: Facts['cql'] =
    pathway.libraries.size > 0
      ? await runCql({ libraries: pathway.libraries, lookup, patient, records, now, pathway: pathway.name })
      : NO_CQL;
  const facts = await readFacts(pathway, subject, records, cql);
  const practitioner = request.practitioner ? { reference: request.practitioner } : undefined;
  const options: ApplyOptions = {
    ...{ key: patient.id ?? '', mode: 'offer', choice: {}, now },
    clock: { start: now, ...locale, birthDate: patient.birthDate },
    team: membersOf({
      patient: referenceTo(patient),
      teams: [],
      manager: practitioner,
      organization: request.organization ? { reference: request.organization } : undefined,
    }),
    subject: referenceTo(patient),
    ...(encounter ? { encounter: referenceTo(encounter) } : {}),
    requester: practitioner ?? caller.who,
  };
  return { facts, options };
}

async function readSubject(
  { subject, encounter, practitioner, organization, given }: ApplyRequest,
  records: Records,
  now: Temporal.Instant,
  { zone }: Locale,
): Promise<Subject> {
  const patient = await readNamed<Patient>('Patient', subject, 'subject', records);
  if (!patient) throw new Fault('invalid', 'The parameter subject must be Patient/ID.', { expression: 'subject' });
  const [at, by, of] = [
    await readNamed<Encounter>('Encounter', encounter, 'encounter', records),
    await readNamed<Practitioner>('Practitioner', practitioner, 'practitioner', records),
    await readNamed<Organization>('Organization', organization, 'organization', records),
  ];
  return {
    ...{ patient, given, now, zone },
    ...(at ? { encounter: at } : {}),
    ...(by ? { practitioner: by } : {}),
    ...(of ? { organization: of } : {}),
  };
}

/** @throws Fault invalid for a reference to something else; unprocessable when there is none, or it may not be seen */
async function readNamed<R extends Resource>(
  type: 'Patient' | 'Encounter' | 'Practitioner' | 'Organization',
  reference: string | undefined,
  parameter: string,
  records: Records,
): Promise<R | undefined> {
  if (reference === undefined) return undefined;
  const id = idOf({ reference }, type);
  if (id === undefined) {
    throw new Fault('invalid', `The parameter ${parameter} must be ${type}/ID.`, { expression: parameter });
  }
  const found = await records.read(type, id);
  if (found) return found as unknown as R;
  throw new Fault('unprocessable', `There is no ${type}/${id} that you may see.`, { expression: parameter });
}

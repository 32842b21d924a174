// Commands on caregivers, and the list of them.
import type { Observation } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { caseAtHand, openCaseAtHand } from '../case-at-hand.ts';
import { nowOf, requireOrder, requirePast, today } from '../given-time.ts';
import { toInstant } from '../local-time.ts';
import { withNote } from '../note.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { EXTENSION } from '../systems.ts';
import { levelConcept, ROLE_STRAIN, STRAIN_CATEGORIES, STRAIN_PROFILES } from './caregiver-codes.ts';
import type { AddCaregiver, Caregiver, ChangeCaregiver, EndCaregiver, NoteStrain, Strain } from './caregiver-schema.ts';
import { observedAt, viewCaregiver, viewStrain } from './caregiver-view.ts';
import { changeCaregiver, writeCaregiver } from './write-caregiver.ts';

/** Everybody related to the patient, with the strain noted last. @throws Fault not-found */
export async function listCaregivers(records: Records, caller: Caller, id: string): Promise<Caregiver[]> {
  const { patient } = await caseAtHand(records, id);
  const people = await records.find('RelatedPerson', { patient: `Patient/${patient.id}` });
  const strains = await strainOf(records, caller, patient.id);
  return people.map((person) => {
    const own = strains.filter(({ caregiver }) => caregiver?.reference === `RelatedPerson/${person.id}`);
    return viewCaregiver(person, own[0]);
  });
}

/** All that was noted of one caregiver, the latest first. @throws Fault not-found */
export async function listStrain(records: Records, caller: Caller, input: OfPerson<object>): Promise<Strain[]> {
  const person = await findPerson(records, input);
  const all = await strainOf(records, caller, idOf(person.patient, 'Patient') ?? '');
  return all.filter(({ caregiver }) => caregiver?.reference === `RelatedPerson/${person.id}`);
}

type OfPerson<T> = { readonly case: string; readonly id: string } & T;

export async function planAddCaregiver(
  records: Records,
  _caller: Caller,
  { case: id, input }: { readonly case: string; readonly input: AddCaregiver },
): Promise<Planned> {
  const { patient } = await openCaseAtHand(records, id);
  return { changes: [{ op: 'create', resource: writeCaregiver(input, `Patient/${patient.id}`) }], about: 0 };
}

export async function planChangeCaregiver(
  records: Records,
  _caller: Caller,
  { input, ...of }: OfPerson<{ input: ChangeCaregiver }>,
): Promise<Planned> {
  await openCaseAtHand(records, of.case);
  const person = await findPerson(records, of);
  return {
    changes: [{ op: 'update', resource: changeCaregiver(person, input), ifMatch: person.meta.versionId }],
    about: 0,
  };
}

/** They care no longer: active is false and the period ends. The person stays on record. */
export async function planEndCaregiver(
  records: Records,
  caller: Caller,
  { input, ...of }: OfPerson<{ input: EndCaregiver }>,
): Promise<Planned> {
  const person = await findPerson(records, of);
  const { end = today(caller) } = input;
  requireOrder(person.period?.start, end, ['its start', 'end'], caller);
  const resource = { ...person, active: false, period: { ...person.period, end } };
  return { changes: [{ op: 'update', resource, ifMatch: person.meta.versionId }], about: 0 };
}

/** http://hl7.org/fhir/us/mcc/StructureDefinition/MCCCaregiverConsiderationsObservation */
export async function planStrain(
  records: Records,
  caller: Caller,
  { input, ...of }: OfPerson<{ input: NoteStrain }>,
): Promise<Planned> {
  const person = await findPerson(records, of);
  const { level, observed = nowOf(caller), note, goals = [] } = input;
  requirePast(observed, 'observed', caller);
  const pertains = goals.map((id) => ({ url: EXTENSION.pertainsToGoal, valueReference: { reference: `Goal/${id}` } }));
  const performer = caller.who.reference ? [caller.who as NonNullable<Observation['performer']>[number]] : [];
  const observation: Observation = {
    resourceType: 'Observation',
    meta: { profile: [...STRAIN_PROFILES] },
    ...(pertains.length > 0 ? { extension: pertains } : {}),
    status: 'final',
    category: STRAIN_CATEGORIES,
    code: ROLE_STRAIN,
    subject: person.patient,
    focus: [{ reference: `RelatedPerson/${person.id}` }],
    effectiveDateTime: observed,
    ...(performer.length > 0 ? { performer } : {}),
    valueCodeableConcept: levelConcept(level),
    ...withNote(undefined, caller, note),
  };
  return { changes: [{ op: 'create', resource: observation }], about: 0 };
}

async function findPerson(records: Records, of: OfPerson<object>): Promise<Kept<'RelatedPerson'>> {
  const { patient } = await caseAtHand(records, of.case);
  const person = await records.read('RelatedPerson', of.id);
  if (person && idOf(person.patient, 'Patient') === patient.id) return person;
  throw new Fault('not-found', `There is no caregiver ${of.id} of the patient of this case.`);
}

/** What was observed of any caregiver of the patient, the latest first. */
async function strainOf(records: Records, { zone }: Caller, patient: string): Promise<Strain[]> {
  const code = ROLE_STRAIN.coding?.[0];
  const found = await records.find('Observation', {
    patient: `Patient/${patient}`,
    code: `${code?.system}|${code?.code}`,
  });
  const at = (observation: Observation) => toInstant(observedAt(observation) ?? '1900-01-01', zone);
  return found
    .filter(({ status }) => status !== 'entered-in-error' && status !== 'cancelled')
    .toSorted((a, b) => Temporal.Instant.compare(at(b), at(a)))
    .map(viewStrain);
}

/** @throws Fault not-found */
export async function showCaregiver(records: Records, caller: Caller, of: OfPerson<object>): Promise<Caregiver> {
  const person = await findPerson(records, of);
  const [latest] = await listStrain(records, caller, of);
  return viewCaregiver(person, latest);
}

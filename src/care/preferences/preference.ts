// What a patient wants of treatment or of the experience of care, as the preference profiles of US Core 7.
// http://hl7.org/fhir/us/core/StructureDefinition/us-core-treatment-intervention-preference
import { randomUUID } from 'node:crypto';
import type { Observation } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { Fault } from '../../fault.ts';
import { caseAtHand, type OnCase, type OnItem, workableCase } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { codedOf } from '../coded.ts';
import { concept, hasCode } from '../concept.ts';
import { Day, requireOrder, requirePast, today } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import { Linked, LinkedOut, linkedOf } from '../linked.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';

const LOINC = 'http://loinc.org';
const KINDS = ['treatment', 'care-experience'] as const;
type Kind = (typeof KINDS)[number];

const ROWS = {
  treatment: {
    profile: 'us-core-treatment-intervention-preference',
    category: ['treatment-intervention-preference', 'Treatment Intervention Preference'],
    code: ['75773-2', 'Goals, preferences, and priorities for medical treatment [Reported]'],
  },
  'care-experience': {
    profile: 'us-core-care-experience-preference',
    category: ['care-experience-preference', 'Care Experience Preference'],
    code: ['95541-9', 'Care experience preference'],
  },
} as const;

const strict = { additionalProperties: false } as const;
const Words = Type.String({ minLength: 1, maxLength: 4_000, pattern: '\\S' });

export const PreferenceGiven = Type.Object(
  {
    kind: Type.Enum([...KINDS]),
    preference: Words,
    since: Type.Optional(Day),
    saidBy: Type.Optional(
      Type.Object({ ...Linked.properties }, { ...strict, description: 'The patient, when absent, or a caregiver' }),
    ),
    replaces: Type.Optional(Type.String({ description: 'Id of the preference that it takes the place of' })),
  },
  strict,
);
export type PreferenceGiven = Static<typeof PreferenceGiven>;

export const PreferenceEnd = Type.Object({ on: Type.Optional(Day) }, strict);
export type PreferenceEnd = Static<typeof PreferenceEnd>;

export const PreferenceView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  kind: Type.Enum([...KINDS]),
  preference: Type.Optional(Type.String()),
  since: Type.Optional(Type.String()),
  until: Type.Optional(Type.String({ description: 'When it stopped to hold' })),
  saidBy: Type.Optional(LinkedOut),
});
export type PreferenceView = Static<typeof PreferenceView>;

const SPEAKERS = ['Patient', 'RelatedPerson'] as const;

/** @throws Fault not-found; unprocessable for a day to come or somebody not known */
export async function recordPreference(
  records: Records,
  caller: Caller,
  { caseId, body }: OnCase<PreferenceGiven>,
): Promise<Planned> {
  const { patient } = await workableCase(records, caseId);
  const { kind, preference, since = today(caller), saidBy = referenceTo(patient), replaces } = body;
  requirePast(since, 'since', caller);
  await knownResource(records, { subject: referenceTo(patient) }, saidBy.reference, SPEAKERS, 'saidBy');
  const row = ROWS[kind];
  const resource: Observation = {
    resourceType: 'Observation',
    meta: claims('baton-preference', row.profile),
    status: 'final',
    category: [concept('http://hl7.org/fhir/us/core/CodeSystem/us-core-category', row.category[0], row.category[1])],
    code: concept(LOINC, row.code[0], row.code[1]),
    subject: referenceTo(patient),
    effectivePeriod: { start: since },
    performer: [saidBy as NonNullable<Observation['performer']>[number]],
    valueString: preference,
  };
  const before = replaces === undefined ? undefined : await preferenceOf(records, caseId, replaces, 'replaces');
  return {
    changes: [
      { op: 'create', resource, id: randomUUID() },
      ...(before
        ? [{ op: 'update' as const, resource: endedOn(before, since, 'since'), ifMatch: before.meta.versionId }]
        : []),
    ],
    about: 0,
  };
}

/** The preference no longer holds. @throws Fault not-found; unprocessable when it had ended, or for a day to come */
export async function endPreference(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<PreferenceEnd>,
): Promise<Planned> {
  await workableCase(records, caseId);
  const kept = await preferenceOf(records, caseId, id);
  const { on = today(caller) } = body;
  requirePast(on, 'on', caller);
  return { changes: [{ op: 'update', resource: endedOn(kept, on, 'on'), ifMatch: kept.meta.versionId }], about: 0 };
}

/** The latest first. @throws Fault not-found */
export async function listPreferences(records: Records, caseId: string): Promise<PreferenceView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const code = KINDS.map((kind) => `${LOINC}|${ROWS[kind].code[0]}`).join(',');
  const found = await records.find('Observation', { patient: `Patient/${patient.id}`, code, _sort: '-date' });
  return found.flatMap((one) => viewPreference(one) ?? []);
}

/** @throws Fault not-found */
export async function showPreference(
  records: Records,
  caseId: string,
  id: string,
): Promise<PreferenceView | undefined> {
  return viewPreference(await preferenceOf(records, caseId, id));
}

/** Undefined when it is no preference, or one recorded by mistake. */
export function viewPreference(observation: Kept<'Observation'>): PreferenceView | undefined {
  const kind = kindOf(observation);
  if (!kind || observation.status === 'entered-in-error') return undefined;
  const { effectivePeriod, effectiveDateTime, valueString, valueCodeableConcept } = observation;
  const preference = valueString ?? codedOf(valueCodeableConcept)?.text;
  const since = effectivePeriod?.start ?? effectiveDateTime;
  const saidBy = linkedOf(observation.performer?.[0]);
  return {
    id: observation.id,
    version: observation.meta.versionId,
    kind,
    ...(preference ? { preference } : {}),
    ...(since ? { since } : {}),
    ...(effectivePeriod?.end ? { until: effectivePeriod.end } : {}),
    ...(saidBy ? { saidBy } : {}),
  };
}

function kindOf({ code }: Observation): Kind | undefined {
  return KINDS.find((kind) => hasCode(code, LOINC, ROWS[kind].code[0]));
}

async function preferenceOf(
  records: Records,
  caseId: string,
  id: string,
  member?: string,
): Promise<Kept<'Observation'>> {
  const { patient } = await caseAtHand(records, caseId);
  const found = await records.read('Observation', id);
  if (found && kindOf(found) && idOf(found.subject, 'Patient') === patient.id) return found;
  if (member === undefined) throw new Fault('not-found', `The case has no preference ${id}.`);
  throw new Fault('unprocessable', `${member} is not a preference of the patient of the case.`, {
    expression: member,
    code: 'not-found',
  });
}

/** @throws Fault unprocessable when it had ended, or would end before it began */
function endedOn(observation: Kept<'Observation'>, end: string, member: string): Observation {
  const { effectivePeriod, effectiveDateTime, ...rest } = observation;
  if (effectivePeriod?.end) {
    throw new Fault('unprocessable', 'The preference has ended already.', {
      expression: 'Observation.effective',
      code: 'business-rule',
    });
  }
  const start = effectivePeriod?.start ?? effectiveDateTime;
  if (start && start.slice(0, 10) > end) requireOrder(start, end, ['since', member], { zone: 'UTC' });
  return { ...rest, effectivePeriod: { ...effectivePeriod, ...(start ? { start } : {}), end } };
}

// What went wrong with a patient's care, or nearly did. https://hl7.org/fhir/R4/adverseevent.html
import { randomUUID } from 'node:crypto';
import type { AdverseEvent } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { Fault } from '../../fault.ts';
import { caseAtHand, type OnCase, type OnItem, workableCase } from '../case-at-hand.ts';
import { codedOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { Moment, nowOf, requirePast } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import { Linked, LinkedOut, linkedOf } from '../linked.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM } from '../systems.ts';

const HL7 = 'http://terminology.hl7.org/CodeSystem/';

const KINDS = {
  fall: 'Fall',
  'medication-event': 'Medication event',
  infection: 'Infection',
  'pressure-injury': 'Pressure injury',
  equipment: 'Equipment',
  'abuse-neglect': 'Abuse or neglect',
  elopement: 'Elopement',
  delay: 'Delay',
  privacy: 'Privacy',
  other: 'Other',
} as const;
const KIND_CODES = Object.keys(KINDS) as (keyof typeof KINDS)[];
const SEVERITIES = { mild: 'Mild', moderate: 'Moderate', severe: 'Severe' } as const;
const OUTCOMES = {
  resolved: 'Resolved',
  resolvedWithSequelae: 'Resolved with Sequelae',
  fatal: 'Fatal',
  unknown: 'Unknown',
} as const;

const strict = { additionalProperties: false } as const;

export const IncidentGiven = Type.Object(
  {
    kind: Type.Enum([...KIND_CODES]),
    happened: Type.Boolean({ description: 'False: it nearly happened' }),
    description: Type.String({ minLength: 1, maxLength: 4_000, pattern: '\\S' }),
    at: Moment,
    severity: Type.Optional(Type.Enum(['mild', 'moderate', 'severe'])),
    serious: Type.Optional(Type.Boolean()),
    location: Type.Optional(Linked),
  },
  strict,
);
export type IncidentGiven = Static<typeof IncidentGiven>;

export const IncidentResolution = Type.Object(
  { outcome: Type.Enum(['resolved', 'resolvedWithSequelae', 'fatal', 'unknown']) },
  strict,
);
export type IncidentResolution = Static<typeof IncidentResolution>;

export const IncidentView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  kind: Type.Optional(Type.String()),
  happened: Type.Boolean(),
  description: Type.Optional(Type.String()),
  at: Type.Optional(Type.String()),
  recorded: Type.Optional(Type.String()),
  severity: Type.Optional(Type.String()),
  serious: Type.Optional(Type.Boolean()),
  location: Type.Optional(LinkedOut),
  outcome: Type.Optional(Type.String()),
  recordedBy: Type.Optional(LinkedOut),
});
export type IncidentView = Static<typeof IncidentView>;

/** @throws Fault not-found; unprocessable for a time to come, or a place not known */
export async function recordIncident(
  records: Records,
  caller: Caller,
  { caseId, body }: OnCase<IncidentGiven>,
): Promise<Planned> {
  const { patient } = await workableCase(records, caseId);
  const { kind, happened, description, at, severity, serious, location } = body;
  requirePast(at, 'at', caller);
  if (location) await knownResource(records, {}, location.reference, ['Location'], 'location');
  const event = { ...concept(CODE_SYSTEM.incidentKind, kind, KINDS[kind]), text: description };
  const seriousness = serious === undefined ? undefined : serious ? 'Serious' : 'Non-serious';
  const resource: AdverseEvent = {
    resourceType: 'AdverseEvent',
    actuality: happened ? 'actual' : 'potential',
    event,
    subject: referenceTo(patient),
    date: at,
    recordedDate: nowOf(caller),
    ...(location ? { location: location as NonNullable<AdverseEvent['location']> } : {}),
    ...(seriousness ? { seriousness: concept(`${HL7}adverse-event-seriousness`, seriousness, seriousness) } : {}),
    ...(severity ? { severity: concept(`${HL7}adverse-event-severity`, severity, SEVERITIES[severity]) } : {}),
    outcome: concept(`${HL7}adverse-event-outcome`, 'ongoing', 'Ongoing'),
    ...(caller.who.reference ? { recorder: caller.who as NonNullable<AdverseEvent['recorder']> } : {}),
  };
  return { changes: [{ op: 'create', resource, id: randomUUID() }], about: 0 };
}

/** @throws Fault not-found; unprocessable when its outcome is known already */
export async function resolveIncident(
  records: Records,
  _caller: Caller,
  { caseId, id, body }: OnItem<IncidentResolution>,
): Promise<Planned> {
  await workableCase(records, caseId);
  const incident = await incidentOf(records, caseId, id);
  const known = codeOf(incident.outcome, 'adverse-event-outcome');
  if (known !== undefined && known !== 'ongoing' && known !== 'recovering') {
    throw new Fault('unprocessable', 'The outcome of the incident is recorded already.', {
      expression: 'AdverseEvent.outcome',
      code: 'business-rule',
    });
  }
  const outcome = concept(`${HL7}adverse-event-outcome`, body.outcome, OUTCOMES[body.outcome]);
  return {
    changes: [{ op: 'update', resource: { ...incident, outcome }, ifMatch: incident.meta.versionId }],
    about: 0,
  };
}

/** The latest first. @throws Fault not-found */
export async function listIncidents(records: Records, caseId: string): Promise<IncidentView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const found = await records.find('AdverseEvent', { subject: `Patient/${patient.id}`, _sort: '-date' });
  return found.map(viewIncident);
}

/** @throws Fault not-found */
export async function showIncident(records: Records, caseId: string, id: string): Promise<IncidentView> {
  return viewIncident(await incidentOf(records, caseId, id));
}

export function viewIncident(incident: Kept<'AdverseEvent'>): IncidentView {
  const kind = incident.event?.coding?.find(({ system }) => system === CODE_SYSTEM.incidentKind)?.code;
  const description = codedOf(incident.event)?.text;
  const severity = codeOf(incident.severity, 'adverse-event-severity');
  const seriousness = codeOf(incident.seriousness, 'adverse-event-seriousness');
  const outcome = codeOf(incident.outcome, 'adverse-event-outcome');
  const location = linkedOf(incident.location);
  const recordedBy = linkedOf(incident.recorder);
  return {
    id: incident.id,
    version: incident.meta.versionId,
    ...(kind ? { kind } : {}),
    happened: incident.actuality === 'actual',
    ...(description ? { description } : {}),
    ...(incident.date ? { at: incident.date } : {}),
    ...(incident.recordedDate ? { recorded: incident.recordedDate } : {}),
    ...(severity ? { severity } : {}),
    ...(seriousness ? { serious: seriousness !== 'Non-serious' } : {}),
    ...(location ? { location } : {}),
    ...(outcome ? { outcome } : {}),
    ...(recordedBy ? { recordedBy } : {}),
  };
}

function codeOf(value: AdverseEvent['outcome'], system: string): string | undefined {
  return value?.coding?.find((one) => one.system === HL7 + system)?.code;
}

async function incidentOf(records: Records, caseId: string, id: string): Promise<Kept<'AdverseEvent'>> {
  const { patient } = await caseAtHand(records, caseId);
  const found = await records.read('AdverseEvent', id);
  if (found && idOf(found.subject, 'Patient') === patient.id) return found;
  throw new Fault('not-found', `The case has no incident ${id}.`);
}

// A notification -> drafts that join what is stored just as those of HL7 v2 messages do: the same visit told both ways is one
// Encounter, and the newest event decides whether the patient is in.
import type { CodeableConcept, Encounter, Identifier, Patient, Provenance, Resource } from '@medplum/fhirtypes';
import { EVENT_TIME, withInstant } from '../../fhir/event-time.ts';
import { withEnd } from '../../fhir/stand-in-end.ts';
import { withStayWords } from '../../fhir/stay-words.ts';
import type { AdtContent } from '../map/adt.ts';
import { digest } from '../map/digest.ts';
import { createDrafts, type Draft, type Drafts } from '../map/drafts.ts';
import { mergeCarried, stampLatest } from '../map/merge.ts';
import { mergeEncounter } from '../map/pv1.ts';
import { SID } from '../map/systems.ts';
import type { Notification, NotificationEvent } from './read-message.ts';
import { rewriteReferences } from './rewrite-references.ts';

/** What comes along and is kept: who is shared between patients, and what is the patient's. */
export const SHARED: ReadonlySet<string> = new Set(['Organization', 'Practitioner', 'PractitionerRole', 'Location']);
export const OWN: ReadonlySet<string> = new Set(['Condition', 'Coverage', 'RelatedPerson']);

const IN: Readonly<Record<NotificationEvent, Encounter['status'] | undefined>> = {
  'notification-admit': 'in-progress',
  'notification-discharge': 'finished',
  'notification-transfer': undefined,
};

export function draftNotification(notification: Notification): AdtContent {
  const { patient, encounter, entries, told } = notification;
  const drafts = createDrafts();
  const addresses = new Map<Resource, string>();
  const place = (resource: Resource) =>
    drafts.refer(resource.resourceType as 'Basic', identityOf(resource, notification));
  const kept = [...new Set(entries.values())].filter(
    ({ resourceType }) => SHARED.has(resourceType) || OWN.has(resourceType),
  );
  for (const resource of [patient, encounter, ...kept]) addresses.set(resource, place(resource).reference ?? '');
  const linked = <R extends Resource>(resource: R): R =>
    rewriteReferences(stripped(resource), (reference) => {
      const target = entries.get(reference);
      return target && addresses.get(target);
    });

  for (const resource of kept) addKept(drafts, linked(resource), identityOf(resource, notification), told);
  const subject = { reference: addresses.get(patient) ?? '' };
  const who = identityOf(patient, notification);
  const person: Patient = {
    ...linked(patient),
    active: patient.active ?? true,
    identifier: identifiersWith(patient, who),
  };
  drafts.add(stampLatest(person, told), who, mergeCarried(told));
  const visit = identityOf(encounter, notification);
  const stay = { ...stayOf(notification, linked(encounter)), subject, identifier: identifiersWith(encounter, visit) };
  drafts.add(stampLatest(stay, told), visit, mergeEncounter(told));
  return {
    drafts: drafts.all,
    provenance: provenanceOf(notification),
    encounter: addresses.get(encounter) ?? '',
    merges: [],
    patientKeys: [JSON.stringify([who.system, who.value])],
  };
}

function addKept(drafts: Drafts, resource: Resource, identity: Draft['match'], told: Temporal.Instant): void {
  const identified = { ...resource, identifier: identifiersWith(resource, identity) } as Resource;
  if (SHARED.has(resource.resourceType)) drafts.share(identified, identity);
  else drafts.add(stampLatest(identified, told), identity, mergeCarried(told));
}

/** Status, start and end, each with the time of the event that sets it. */
function stayOf({ event, told, encounter: sent }: Notification, encounter: Encounter): Encounter {
  const isVoid = sent.status === 'cancelled' || sent.status === 'entered-in-error';
  const said = isVoid ? sent.status : IN[event];
  const at = told.toString({ fractionalSecondDigits: 3 });
  const { start, end } = encounter.period ?? {};
  const begin = start ? { extension: withInstant(undefined, EVENT_TIME, told), start } : {};
  const period = said === 'finished' ? withEnd(begin, end ?? at, end === undefined) : begin;
  const { period: _p, hospitalization, extension: sentAlong = [], ...rest } = encounter;
  // What another Baton has been told of the stay is not for this one to go by.
  const extension = withStayWords(sentAlong, []);
  return {
    ...rest,
    // A class is required, and what is notified of is a stay.
    class: sent.class ?? { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    status: said ?? sent.status ?? 'in-progress',
    ...(hospitalization ? { hospitalization } : {}),
    ...(said ? { extension: withInstant({ extension }, EVENT_TIME, told) } : {}),
    ...(!said && extension.length > 0 ? { extension } : {}),
    ...(Object.keys(period).length > 0 ? { period } : {}),
  };
}

/** The medical record number or visit number when it says whose it is; else the sender's id for it, else what it says. */
function identityOf(resource: Resource, { source }: Notification): Draft['match'] {
  const identifiers = identifiersOf(resource).filter(({ system, value }) => system && value);
  const typed = identifiers.find(({ type }) => type?.coding?.some(({ code }) => code === 'MR' || code === 'VN'));
  const { system, value } = typed ?? identifiers[0] ?? {};
  if (system && value) return { system, value };
  const isOwn = SHARED.has(resource.resourceType) && !resource.id;
  const content = isOwn ? JSON.stringify(stripped(resource)) : `${resource.resourceType}/${resource.id ?? ''}`;
  return { system: `${SID}notification`, value: digest(source, content) };
}

function identifiersOf(resource: Resource): Identifier[] {
  return 'identifier' in resource ? [resource.identifier ?? []].flat() : [];
}

function identifiersWith(resource: Resource, identity: Draft['match']): Identifier[] {
  const own = identifiersOf(resource);
  const has = own.some(({ system, value }) => system === identity.system && value === identity.value);
  return has ? own : [...own, { ...identity }];
}

/** Ids and versions are the sender's. */
function stripped<R extends Resource>(resource: R): R {
  const { id: _i, meta: _m, text: _t, ...rest } = resource as R & { text?: unknown };
  return rest as R;
}

function provenanceOf({ event, told, source, key }: Notification): Omit<Provenance, 'target'> {
  const agent = (code: string, display: string): CodeableConcept => ({
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code, display }],
  });
  return {
    resourceType: 'Provenance',
    recorded: told.toString({ fractionalSecondDigits: 3 }),
    activity: { text: event },
    agent: [
      { type: agent('assembler', 'Assembler'), who: { display: 'Baton intake' } },
      { type: agent('custodian', 'Custodian'), who: { display: source } },
    ],
    entity: [{ role: 'source', what: { identifier: { system: `${SID}message`, value: key } } }],
  };
}

// What a sender's map adds to what the standard mapping has made of a message.
import { structureMapTransform, TransformMapCollection } from '@medplum/core';
import type { Bundle, Identifier, Patient, Reference, Resource } from '@medplum/fhirtypes';
import { isResourceType } from '../../fhir/resource-types.ts';
import type { AdtContent } from '../map/adt.ts';
import type { Draft } from '../map/drafts.ts';
import { mergeCarried, stampLatest } from '../map/merge.ts';
import type { Reading } from '../map/reading.ts';
import { Refusal } from '../refusal.ts';
import { logicalMessage } from './logical-message.ts';
import { withLists } from './map-types.ts';
import type { SenderMap } from './sender-map.ts';

/** What a map changes through its targets, and what is no business of a sender's. */
const NOT_MADE = ['Patient', 'Encounter', 'Provenance', 'AuditEvent', 'Bundle', 'Consent'];

/**
 * The content with the targets as the map leaves them, and with what it put in the Bundle. Of an event without a visit
 * what the map sets on the Encounter has no effect.
 * @throws Refusal AE 207 when the map cannot be carried out, or makes something that nothing could be recognised by later
 */
export function applySenderMap(senderMap: SenderMap, reading: Reading, content: AdtContent): AdtContent {
  const { name, map, inputs, segments, conceptMaps } = senderMap;
  const person = content.drafts.find(({ resource }) => resource.resourceType === 'Patient');
  const visit = content.drafts.find(({ fullUrl }) => fullUrl === content.encounter);
  const targets: Readonly<Record<string, Resource>> = {
    Patient: structuredClone(person?.resource ?? { resourceType: 'Patient' }),
    Encounter: structuredClone(visit?.resource ?? ({ resourceType: 'Encounter' } as Resource)),
    Bundle: { resourceType: 'Bundle', type: 'collection' },
  };
  const message = logicalMessage(reading, segments, person?.fullUrl ?? '', content.encounter);
  const input = inputs.map((type) => ({ type, value: type === 'Message' ? message : targets[type] }));
  try {
    structureMapTransform(map, input, new TransformMapCollection([map, ...conceptMaps]));
  } catch (error) {
    throw new Refusal('AE', '207', `The sender's map ${name} cannot be carried out: ${reasonOf(error)}`);
  }
  const changed = new Map([
    [person?.fullUrl, targets.Patient],
    [visit?.fullUrl, targets.Encounter],
  ]);
  for (const { resource } of (targets.Bundle as Bundle).entry ?? []) addMade(reading, name, resource);
  const drafts = reading.drafts.all.map((draft): Draft => {
    const resource = changed.get(draft.fullUrl);
    return resource ? { ...draft, resource: recognised(cleaned(resource), draft, name) } : draft;
  });
  return { ...content, drafts };
}

function addMade({ drafts, eventTime }: Reading, map: string, given: Resource | undefined): void {
  const refused = (why: string) => new Refusal('AE', '207', `The sender's map ${map} makes a resource ${why}.`);
  if (!given || !isResourceType(given.resourceType) || NOT_MADE.includes(given.resourceType))
    throw refused('of a type that it may not make');
  const resource = cleaned(given);
  const identifiers = 'identifier' in resource ? [resource.identifier ?? []].flat() : [];
  const { system, value } = (identifiers as Identifier[]).find((one) => one.system && one.value) ?? {};
  if (!system || !value) throw refused('without an identifier that has system and value');
  const merge = mergeCarried(eventTime);
  drafts.add(stampLatest(resource, eventTime), { system, value }, (stored, fresh) => {
    const [before, now] = [stored, fresh].map(patientIn);
    if (before === undefined || now === undefined || before === now) return merge(stored, fresh);
    const text = `The identifier of a ${fresh.resourceType} that the sender's map ${map} makes is another patient's already.`;
    throw new Refusal('AE', '205', text);
  });
}

function patientIn(resource: Resource): string | undefined {
  const { subject, patient, beneficiary } = resource as Partial<
    Record<'subject' | 'patient' | 'beneficiary', Reference>
  >;
  return (subject ?? patient ?? beneficiary)?.reference;
}

/** @throws Refusal AE 207 when the next message could not find it any more */
function recognised(resource: Resource, { match }: Draft, map: string): Resource {
  const identifiers = (resource as Patient).identifier ?? [];
  if (identifiers.some(({ system, value }) => system === match.system && value === match.value)) return resource;
  const text = `The sender's map ${map} takes away the identifier of a ${resource.resourceType}.`;
  throw new Refusal('AE', '207', text);
}

/** The words of the map's own check; others may repeat what the message says. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  return text.startsWith('Check failed') ? `${text}.` : 'a rule of it failed.';
}

/** As JSON, as FHIR has its lists, and without the type that Medplum writes into data types that `create` makes. */
function cleaned<R extends Resource>(resource: R): R {
  const text = JSON.stringify(resource, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const { resourceType, ...rest } = value as { resourceType?: string };
    return resourceType === undefined || isResourceType(resourceType) ? value : rest;
  });
  return withLists(JSON.parse(text) as R, resource.resourceType);
}

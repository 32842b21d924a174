// A FHIR message of the Da Vinci Unsolicited Notifications guide -> which event, about which encounter and patient, told
// when and by whom. Tolerant: what is missing is taken from what is there.
// https://build.fhir.org/ig/HL7/davinci-alerts/
import type { Bundle, Encounter, MessageHeader, Patient, Resource } from '@medplum/fhirtypes';
import { notAheadOf } from '../not-ahead-of.ts';
import { Refusal } from '../refusal.ts';

const EVENTS = 'http://hl7.org/fhir/us/davinci-alerts/CodeSystem/notification-event';

export type NotificationEvent = 'notification-admit' | 'notification-discharge' | 'notification-transfer';

/** A notification is about one stay; more is a mistake, and too much to look for in one go. */
const MOST_ENTRIES = 500;

const READ: readonly string[] = ['notification-admit', 'notification-discharge', 'notification-transfer'];

export interface Notification {
  readonly event: NotificationEvent;
  /** What the same message has again when it is sent again. */
  readonly key: string;
  /** Who sends: its endpoint, else its name. */
  readonly source: string;
  readonly told: Temporal.Instant;
  readonly encounter: Encounter;
  readonly patient: Patient;
  /** By every address that a reference in the message may have for them. */
  readonly entries: ReadonlyMap<string, Resource>;
}

/** @throws Refusal AR for what is no such message, AE for one that lacks the encounter or the patient */
export function readNotification(bundle: Bundle, now: Temporal.Instant): Notification {
  const header = headerOf(bundle);
  const event = header.eventCoding?.code ?? '';
  if (header.eventCoding?.system !== EVENTS || !READ.includes(event)) {
    throw new Refusal(
      'AR',
      '201',
      `Baton reads the events ${READ.join(', ')} of ${EVENTS}.`,
      'MessageHeader.eventCoding',
    );
  }
  const entries = entriesOf(bundle);
  const source = sourceOf(header);
  const encounter = focusOf(header, entries, bundle);
  const patient = patientOf(encounter, entries, bundle);
  return {
    event: event as NotificationEvent,
    key: requireKey(bundle),
    source,
    told: notAheadOf(now, instantOf(bundle.timestamp) ?? now),
    encounter,
    patient,
    entries,
  };
}

function headerOf({ resourceType, type, entry }: Bundle): MessageHeader {
  if (resourceType !== 'Bundle' || type !== 'message') {
    throw new Refusal('AR', '200', '$process-message takes a Bundle of type message.', 'Bundle.type');
  }
  if (entry && entry.length > MOST_ENTRIES) {
    throw new Refusal('AR', '207', `A notification may have at most ${MOST_ENTRIES} entries.`, 'Bundle.entry');
  }
  const first = entry?.[0]?.resource;
  if (first?.resourceType === 'MessageHeader') return first;
  throw new Refusal('AR', '100', 'The first entry of a message is its MessageHeader.', 'Bundle.entry[0].resource');
}

/** The identity of a message, as far as it has one. */
export function keyOf({ id, identifier, entry }: Bundle): string | undefined {
  const first = entry?.[0]?.resource;
  const header = first?.resourceType === 'MessageHeader' ? first : undefined;
  const source = sourceOf(header);
  if (identifier?.value) return [source, identifier.system ?? '', identifier.value].join('|');
  const own = id ?? header?.id;
  return own && [source, own].join('|');
}

const sourceOf = (header: MessageHeader | undefined) => header?.source?.endpoint || header?.source?.name || 'unknown';

function requireKey(bundle: Bundle): string {
  const key = keyOf(bundle);
  if (key) return key;
  throw new Refusal(
    'AR',
    '101',
    'A message needs an identifier or an id, so that it is known again.',
    'Bundle.identifier',
  );
}

function entriesOf({ entry = [] }: Bundle): Map<string, Resource> {
  const byAddress = new Map<string, Resource>();
  for (const { fullUrl, resource } of entry) {
    if (!resource) continue;
    if (fullUrl) byAddress.set(fullUrl, resource);
    if (resource.id) byAddress.set(`${resource.resourceType}/${resource.id}`, resource);
  }
  return byAddress;
}

function focusOf(header: MessageHeader, entries: ReadonlyMap<string, Resource>, { entry = [] }: Bundle): Encounter {
  const focus = header.focus?.flatMap(({ reference }) => entries.get(reference ?? '') ?? []) ?? [];
  const named = focus.find((resource) => resource.resourceType === 'Encounter');
  const encounters = entry.flatMap(({ resource }) => (resource?.resourceType === 'Encounter' ? [resource] : []));
  const encounter = named ?? (encounters.length === 1 ? encounters[0] : undefined);
  if (encounter) return encounter;
  throw new Refusal('AE', '101', 'MessageHeader.focus must be an Encounter of the message.', 'MessageHeader.focus');
}

function patientOf(encounter: Encounter, entries: ReadonlyMap<string, Resource>, { entry = [] }: Bundle): Patient {
  const named = entries.get(encounter.subject?.reference ?? '');
  if (named?.resourceType === 'Patient') return named;
  const patients = entry.flatMap(({ resource }) => (resource?.resourceType === 'Patient' ? [resource] : []));
  const [only, second] = patients;
  if (only && !second) return only;
  throw new Refusal('AE', '101', 'The message must hold the Patient of its Encounter.', 'Encounter.subject');
}

function instantOf(timestamp: string | undefined): Temporal.Instant | undefined {
  if (timestamp === undefined) return undefined;
  try {
    return Temporal.Instant.from(timestamp);
  } catch {
    throw new Refusal('AR', '102', 'Bundle.timestamp is not an instant.', 'Bundle.timestamp');
  }
}

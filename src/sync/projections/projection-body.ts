// The body of what stands in for a resource, in the remote's terms. https://hl7.org/fhir/R4/communication.html
// https://hl7.org/fhir/R4/servicerequest.html
import type { Communication, Reference, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import { hashJson, isJsonObject, type JsonObject } from '../../fhir/canonical-json.ts';
import { contentHash, type PlanDocument } from '../../fhir/care-plan-document/document.ts';
import { type DocumentFormat, documentReference } from '../../fhir/care-plan-document/document-reference.ts';
import { plainText } from '../../fhir/care-plan-document/plain-text.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { jsonOf } from '../body.ts';
import type { RunContext } from '../context.ts';
import { readLinkMap } from '../link-map.ts';
import { projectionIdentifiers, projectionMark, versionIdentifier } from './projection-name.ts';
import type { Collected } from './projection-record.ts';
import { requestOf } from './projection-request.ts';
import type { Projection } from './projection-row.ts';

/** What a document becomes on the remote. */
export interface Wanted {
  readonly document: PlanDocument;
  readonly labels: Collected['labels'];
  /** Remote id of the patient. */
  readonly patient: string;
  /** `superseded`: what it says is over, and it says so. */
  readonly status: 'current' | 'superseded';
  /** Absent when the source is gone. */
  readonly focus?: Resource | undefined;
  /** Who should read it, best first, as references here. */
  readonly readers: readonly string[];
}

/** Which resource it is, and what it takes the place of. */
export type Place = Pick<Projection, 'connection' | 'source' | 'number' | 'target'> & {
  readonly replaces?: string | undefined;
};

const FORMATS: readonly DocumentFormat[] = ['text/plain', 'application/pdf'];
/** In a text that a person reads; the rest is in the record. */
const READERS = ['Practitioner', 'PractitionerRole', 'Organization', 'CareTeam', 'RelatedPerson'];

/** Tells whether something that matters to a reader has changed. */
export function wantedHash({ document, labels, patient, status }: Wanted): string {
  const codes = labels.map(({ system, code }) => `${system}|${code}`);
  return hashJson([contentHash(document), codes, patient, status]);
}

export async function projectedBody(context: RunContext, wanted: Wanted, place: Place): Promise<JsonObject> {
  const local = await localReferences(context, wanted);
  switch (place.target) {
    case 'DocumentReference':
      return documentBody(context, wanted, place, local);
    case 'Communication':
      return jsonOf(communication(context, wanted, place, local));
    case 'ServiceRequest':
      return jsonOf(serviceRequest(context, wanted, place, local));
  }
}

/** What may be taken back; an author stays, because Oracle Health takes no update without one. */
const OPTIONAL = new Set([
  ...['priority', 'occurrencePeriod', 'authoredOn', 'reasonCode', 'encounter', 'requester', 'performer'],
  'securityLabel',
]);

/**
 * Over what is there: our elements win, what the server added to others stays.
 * @param before what was sent last time; what it had and we have no longer goes
 */
export function overlaid(ours: JsonObject, theirs: JsonObject, before: JsonObject = {}): JsonObject {
  const added = Array.isArray(theirs.identifier) ? theirs.identifier : [];
  const own = Array.isArray(ours.identifier) ? ours.identifier : [];
  const textOf = (one: unknown) => JSON.stringify(one);
  const systems = new Set(own.map((one) => (isJsonObject(one) ? textOf(one.system) : '')));
  const foreign = added.filter((one) => !isJsonObject(one) || !systems.has(textOf(one.system)));
  const identifier = [...own, ...foreign];
  const kept = Object.entries(theirs).filter(
    ([name]) => ours[name] !== undefined || !(OPTIONAL.has(name) && name in before),
  );
  return {
    ...Object.fromEntries(kept),
    ...ours,
    id: theirs.id ?? '',
    ...(identifier.length > 0 ? { identifier } : {}),
  };
}

/** What is remembered of a body: not the documents themselves, which are made again from the versions. */
export function withoutData(body: JsonObject): JsonObject {
  if (!Array.isArray(body.content)) return body;
  const content = body.content.map((one) => {
    if (!isJsonObject(one) || !isJsonObject(one.attachment)) return one;
    const { data: _data, ...attachment } = one.attachment;
    return { ...one, attachment };
  });
  return { ...body, content };
}

async function documentBody(context: RunContext, wanted: Wanted, place: Place, local: Local): Promise<JsonObject> {
  const { document, labels, status } = wanted;
  const focus = wanted.focus as { encounter?: Reference; author?: Reference } | undefined;
  const author = local(focus?.author);
  const encounter = local(focus?.encounter);
  const body = await documentReference(document, {
    subject: { reference: `Patient/${wanted.patient}` },
    ...(encounter ? { encounter: { reference: encounter } } : {}),
    ...(author ? { authors: [{ reference: author }] } : {}),
    identifiers: projectionIdentifiers(context.mapping, place),
    masterIdentifier: versionIdentifier(context.mapping, place, wantedHash(wanted)),
    labels,
    description: `${document.title} (Baton ${projectionMark(place)})`,
    status,
    replaces: place.replaces,
    formats: context.remote.vendor.documentFormats ?? FORMATS,
  });
  return jsonOf(body);
}

function communication(context: RunContext, wanted: Wanted, place: Place, local: Local): Communication {
  const { document, labels, focus } = wanted;
  const encounter = local((focus as { encounter?: Reference } | undefined)?.encounter);
  const about = aboutOf(focus).flatMap((reference) => local(reference) ?? []);
  const recipients = wanted.readers.flatMap((reader) => local({ reference: reader }) ?? []);
  return {
    resourceType: 'Communication',
    ...labelled(labels),
    identifier: projectionIdentifiers(context.mapping, place),
    ...(place.replaces ? { inResponseTo: [{ reference: place.replaces }] } : {}),
    status: 'completed',
    category: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/communication-category',
            code: 'notification',
            display: 'Notification',
          },
        ],
      },
    ],
    subject: { reference: `Patient/${wanted.patient}` },
    ...(about.length > 0 ? { about: about.map((reference) => ({ reference })) } : {}),
    ...(encounter ? { encounter: { reference: encounter } } : {}),
    sent: document.produced,
    ...(recipients.length > 0 ? { recipient: recipients.map((reference) => ({ reference })) } : {}),
    payload: [{ contentString: plainText(document) }],
  };
}

function serviceRequest(context: RunContext, wanted: Wanted, place: Place, local: Local): ServiceRequest {
  const { document, labels, patient } = wanted;
  const task = wanted.focus as Task;
  const [requester, owner, encounter] = [task.requester, task.owner, task.encounter].map((one) => local(one));
  return {
    resourceType: 'ServiceRequest',
    ...labelled(labels),
    identifier: projectionIdentifiers(context.mapping, place),
    ...requestOf(task),
    subject: { reference: `Patient/${patient}` },
    ...(encounter ? { encounter: { reference: encounter } } : {}),
    ...(requester ? { requester: { reference: requester } } : {}),
    ...(owner ? { performer: [{ reference: owner }] } : {}),
    note: [{ text: plainText(document) }],
  };
}

type Local = (reference: Reference | undefined) => string | undefined;

/** Translates references to resources that are on the remote as well. */
async function localReferences(context: RunContext, { focus, readers }: Wanted): Promise<Local> {
  const own = focus as
    | { encounter?: Reference; author?: Reference; requester?: Reference; owner?: Reference }
    | undefined;
  const named = [own?.encounter, own?.author, own?.requester, own?.owner, ...aboutOf(focus)];
  const texts = [...named.map((one) => one?.reference ?? ''), ...readers];
  const targets = texts.map(parseLiteral).filter((target) => target !== undefined);
  const map = await readLinkMap(context.store, context.connection.name, targets, []);
  return (reference) => {
    const target = reference?.reference === undefined ? undefined : parseLiteral(reference.reference);
    const remote = target && map.remoteOf(target.type, target.id);
    return target && remote ? `${target.type}/${remote}` : undefined;
  };
}

/** What a message is about besides its patient. */
function aboutOf(focus: Resource | undefined): Reference[] {
  if (focus?.resourceType !== 'Task') return [];
  return [...(focus.focus ? [focus.focus] : []), ...(focus.basedOn ?? [])];
}

export function isReader(reference: string): boolean {
  return READERS.includes(parseLiteral(reference)?.type ?? '');
}

function labelled(labels: Wanted['labels']): { meta?: { security: Wanted['labels'][number][] } } {
  return labels.length > 0 ? { meta: { security: [...labels] } } : {};
}

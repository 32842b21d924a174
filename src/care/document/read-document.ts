// A document from elsewhere, checked as a whole before anything of it is used: a Bundle that is a document, entries that
// are valid, of known types and about one patient.
import type { Bundle, Composition, Patient, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { collectPlaced, isConditional } from '../../fhir/references.ts';
import { addressBook, type Resolve } from './address-book.ts';
import type { Exchange } from './exchange.ts';
import { ownerOf } from './whose.ts';

export interface Brought {
  readonly fullUrl: string;
  readonly resource: Resource;
  /** FHIRPath in the document. */
  readonly place: string;
}

export interface ReadDocument {
  readonly bundle: Bundle;
  readonly identifier: { readonly system?: string; readonly value: string };
  readonly composition: Composition;
  readonly patient: Brought & { readonly resource: Patient };
  /** Without the Composition, the patient, and what stays in the document. */
  readonly entries: readonly Brought[];
  /** Kept in the document only. */
  readonly leftOut: readonly Brought[];
  /** Where a reference of an entry leads, as the full URL of an entry. */
  readonly resolve: Resolve;
}

/** What is written about a record, or opens and closes it, is not taken from elsewhere. */
const STAYS: ReadonlySet<string> = new Set([
  'AuditEvent',
  'Binary',
  'Bundle',
  'Composition',
  'Consent',
  'Endpoint',
  'OperationOutcome',
  'Provenance',
]);
/** What records refer to without being about a patient. */
const SHARED: ReadonlySet<string> = new Set([
  'HealthcareService',
  'Location',
  'Medication',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Specimen',
  'Device',
  'Substance',
]);
const MOST_ENTRIES = 2_000;

/** @throws Fault unprocessable | too-large */
export function readDocument(document: object, exchange: Exchange): ReadDocument {
  const bundle = document as Bundle;
  const { entry = [] } = bundle;
  if (!Array.isArray(entry)) throw wrong('A document has entries.', 'Bundle.entry', 'structure');
  if (entry.length > MOST_ENTRIES) {
    throw new Fault('too-large', `A document of more than ${MOST_ENTRIES} entries is not taken.`, {
      expression: 'Bundle.entry',
    });
  }
  const known = entry.map((_, index) => checkType(entry, index, exchange));
  const errors = exchange.errorsOf(bundle);
  if (errors.length > 0) throw new Fault('unprocessable', 'The document is not valid.', { issues: errors });
  if (bundle.type !== 'document') throw wrong('Only a Bundle of type document is taken.', 'Bundle.type', 'value');
  const composition = known[0]?.resource;
  if (composition?.resourceType !== 'Composition') {
    throw wrong('The first entry of a document is its Composition.', 'Bundle.entry[0].resource', 'required');
  }
  const identifier = bundle.identifier;
  if (identifier?.value === undefined) {
    throw wrong(
      'A document has an identifier, by which it is known when it comes again.',
      'Bundle.identifier',
      'required',
    );
  }
  refuseSecondCopy(known);
  const resolve = addressBook(known);
  const patient = patientOf(composition, known, resolve);
  for (const each of known) checkReferences(each, patient, resolve, exchange);
  const others = known.filter((each) => each !== patient && each !== known[0]);
  return {
    bundle,
    identifier: { ...(identifier.system ? { system: identifier.system } : {}), value: identifier.value },
    composition,
    patient,
    entries: others.filter(({ resource }) => !STAYS.has(resource.resourceType)),
    leftOut: others.filter(({ resource }) => STAYS.has(resource.resourceType)),
    resolve,
  };
}

function checkType(entry: NonNullable<Bundle['entry']>, index: number, exchange: Exchange): Brought {
  const { fullUrl, resource } = entry[index] ?? {};
  const place = `Bundle.entry[${index}]`;
  if (typeof fullUrl !== 'string' || !/^(https?:\/\/\S+|urn:(uuid|oid):\S+)$/.test(fullUrl)) {
    throw wrong('Every entry of a document has a fullUrl, by which it is known.', `${place}.fullUrl`, 'required');
  }
  const type: unknown = resource?.resourceType;
  if (!resource || typeof type !== 'string' || !exchange.isType(type)) {
    throw wrong('The entry has no resource of a type of FHIR R4.', `${place}.resource`, 'structure');
  }
  if (!exchange.isAboutPatients(type) && !STAYS.has(type) && !SHARED.has(type)) {
    const sentence = `A ${type} is no part of a patient's record, and is not taken from a document.`;
    throw wrong(sentence, `${place}.resource`, 'not-supported');
  }
  return { fullUrl, resource, place: `${place}.resource` };
}

function refuseSecondCopy(known: readonly Brought[]): void {
  const seen = new Set<string>();
  for (const { fullUrl, place } of known) {
    if (seen.has(fullUrl)) {
      throw wrong('A document has each resource once.', place.replace(/resource$/, 'fullUrl'), 'duplicate');
    }
    seen.add(fullUrl);
  }
}

function patientOf(composition: Composition, known: readonly Brought[], resolve: Resolve) {
  const subject = composition.subject?.reference;
  const to = subject === undefined ? undefined : resolve(known[0] as Brought, subject);
  const found = known.find(({ fullUrl }) => fullUrl === to);
  if (found?.resource.resourceType !== 'Patient') {
    const sentence = 'The document must bring the patient that it is about.';
    throw wrong(sentence, 'Bundle.entry[0].resource.subject', 'required');
  }
  return found as ReadDocument['patient'];
}

/** @throws Fault unprocessable */
function checkReferences(each: Brought, patient: Brought, resolve: Resolve, exchange: Exchange): void {
  const { resource, place } = each;
  if (resource.resourceType === 'Patient' && each !== patient) {
    throw wrong('The document is about one patient, and this is another.', place, 'business-rule');
  }
  const owner = exchange.isAboutPatients(resource.resourceType) ? ownerOf(resource) : undefined;
  if (owner && isElsewhere(owner.reference, resolve(each, owner.reference), patient)) {
    throw wrong('This is about another patient than the document is.', `${place}.${owner.element}`, 'business-rule');
  }
  for (const { place: where, reference } of collectPlaced(resource)) {
    const expression = where.replace(resource.resourceType, place);
    if (isConditional(reference)) throw wrong('A document names what it refers to.', expression, 'value');
    const leads = reference.startsWith('#') || /^[a-z][a-z0-9+.-]*:/i.test(reference) || resolve(each, reference);
    if (!leads) throw wrong('This reference leads to nothing that the document has or names.', expression, 'not-found');
  }
}

/** A URN may be anything else that the resource is about; only one that leads to a patient counts. */
function isElsewhere(reference: string, to: string | undefined, patient: Brought): boolean {
  if (to === patient.fullUrl) return false;
  return /(^|\/)Patient\//.test(to ?? reference);
}

type Code = 'required' | 'value' | 'structure' | 'not-supported' | 'duplicate' | 'business-rule' | 'not-found';

const wrong = (sentence: string, expression: string, code: Code) =>
  new Fault('unprocessable', sentence, { expression, code });

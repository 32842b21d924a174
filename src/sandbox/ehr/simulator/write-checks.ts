// What a vendor asks of a resource before it takes it.
import { OperationOutcomeError } from '@medplum/core';
import type { DocumentReference, Observation, Resource } from '@medplum/fhirtypes';
import { checkResource } from '../vocabulary.ts';
import { UNKNOWN_ELEMENT } from './dress.ts';
import type { Ehr } from './ehr.ts';
import { Refusal } from './refusal.ts';

/** @throws Refusal syntax */
export function readBody(text: string): Resource {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'resourceType' in body) return body as Resource;
  } catch {
    // Said below.
  }
  throw new Refusal('syntax', 'The body is not a FHIR resource in JSON.');
}

/** @throws Refusal */
export function checkWrite(ehr: Ehr, type: string, resource: Resource, isNew: boolean): void {
  if (resource.resourceType !== type) throw new Refusal('syntax', `The body is not a ${type}.`);
  const { createNeeds = [], refuses = [] } = ehr.rules.types[type] ?? {};
  for (const element of refuses) {
    if (has(resource, element)) throw new Refusal('element-refused', `${type}.${element} is not supported.`);
  }
  for (const path of isNew ? createNeeds : []) {
    if (!has(resource, path)) throw new Refusal('element-missing', `A valid ${path.split('.').at(-1)} is required.`);
  }
  if (!ehr.knobs.unchecked) {
    checkStructure(resource);
    checkReferences(ehr, resource);
  }
  const { mappedCodes, documentsPerDay } = ehr.rules;
  if (type === 'Observation' && isNew && mappedCodes) {
    const codes = (resource as Observation).code?.coding?.map(({ code }) => code ?? '') ?? [];
    if (!codes.some((code) => mappedCodes.includes(code))) {
      throw new Refusal('not-mapped', 'No flowsheet row is mapped to the code of this Observation.');
    }
  }
  if (type === 'DocumentReference' && isNew && documentsPerDay !== undefined) {
    ehr.documents.admit(resource as DocumentReference, ehr.now(), ehr.knobs.documentsPerDay ?? documentsPerDay);
  }
}

function checkStructure(resource: Resource): void {
  const { [UNKNOWN_ELEMENT]: _, ...known } = resource as unknown as Record<string, unknown>;
  try {
    checkResource(known as unknown as Resource);
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    const { expression, details } = error.outcome.issue[0] ?? {};
    throw new Refusal('syntax', `${expression?.[0] ?? resource.resourceType}: ${details?.text ?? 'not valid'}`);
  }
}

/** Every reference to a type that is kept here must lead somewhere. */
function checkReferences(ehr: Ehr, resource: Resource): void {
  const base = `${ehr.base()}/`;
  JSON.stringify(resource, (key, value: unknown) => {
    if (key !== 'reference' || typeof value !== 'string') return value;
    const [type = '', id = '', ...rest] = (value.startsWith(base) ? value.slice(base.length) : value).split('/');
    if (!ehr.rules.types[type] || (rest.length > 0 && rest[0] !== '_history')) return value;
    if (ehr.records.newest(type, id)?.resource === undefined) {
      throw new Refusal('reference-unknown', `${type}/${id} is not known here.`);
    }
    return value;
  });
}

function has(resource: Resource, path: string): boolean {
  let value: unknown = resource;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name];
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

const ACTIVE = /<(iframe|link|script|style)\b[^>]*?(?:\/>|>[\s\S]*?<\/\1\s*>)/gi;
const FOREIGN_IMAGE = /<img\b(?![^>]*\bsrc\s*=\s*["']data:image\/)[^>]*>/gi;

/** The narrative without active content and without images from elsewhere. */
export function sanitised(resource: Resource): Resource {
  const { text } = resource as { text?: { div?: string } };
  if (!text?.div) return resource;
  const div = text.div.replace(ACTIVE, '').replace(FOREIGN_IMAGE, '');
  return { ...resource, text: { ...text, div } } as Resource;
}

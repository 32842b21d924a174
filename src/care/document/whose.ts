// Whose record a resource belongs to.
import type { Resource } from '@medplum/fhirtypes';
import { parseLiteral } from '../../fhir/references.ts';

/** Also a URN, which does not say what it leads to. */
const PATIENT = /^urn:|(^|\/)Patient\/[^/]+(\/_history\/[^/]+)?$/;
const ELEMENTS = ['patient', 'subject', 'for', 'beneficiary', 'individual'] as const;

export interface Owner {
  readonly element: string;
  /** As it is written. */
  readonly reference: string;
}

/** The element that says which patient a resource is about; undefined when none does. */
export function ownerOf(resource: Resource): Owner | undefined {
  const elements = resource as unknown as Record<string, { reference?: unknown } | undefined>;
  for (const element of ELEMENTS) {
    const reference = elements[element]?.reference;
    if (typeof reference === 'string' && PATIENT.test(reference)) return { element, reference };
  }
  return undefined;
}

/** True when it says that it is about another patient than the one here. */
export function isOfAnother(resource: Resource, patient: string): boolean {
  if (resource.resourceType === 'Patient') return resource.id !== patient;
  const owner = parseLiteral(ownerOf(resource)?.reference ?? '');
  return owner?.type === 'Patient' && owner.id !== patient;
}

// What a reference says, read by R4's rules for literal, versioned, absolute and logical references.
// https://hl7.org/fhir/R4/references.html
import type { Resource } from '@medplum/fhirtypes';
import { TEST_BASE_URL } from '../../support/store-rules.ts';

export interface ReferenceValue {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: { readonly system?: string; readonly value?: string };
}

/** A resource of this server, a URL of something elsewhere, or neither. */
export interface Target {
  readonly local?: { readonly type: string; readonly id: string };
  readonly url?: string;
}

const HISTORY = /\/_history\/[^/]*$/;

/** Search follows references to what is current, so a version says nothing. */
export function targetOf(text: string): Target {
  const current = text.replace(HISTORY, '');
  const relative = current.startsWith(`${TEST_BASE_URL}/`) ? current.slice(TEST_BASE_URL.length + 1) : current;
  const [type = '', id = '', ...more] = relative.split('/');
  if (/^[A-Z]/.test(type) && id !== '' && more.length === 0) return { local: { type, id } };
  return text === '' || text.startsWith('#') ? {} : { url: current };
}

/** The type that `resolve() is …` finds without looking anything up. */
export function typeReferredTo(value: unknown, from: Resource): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { reference = '', type } = value as ReferenceValue;
  const { local, url } = targetOf(reference);
  if (local) return local.type;
  if (reference.startsWith('#')) {
    const { contained = [] } = from as { contained?: readonly Resource[] };
    return contained.find(({ id }) => `#${id}` === reference)?.resourceType ?? type;
  }
  const [, fromUrl] = /\/([A-Z]\w+)\/[^/]+$/.exec(url ?? '') ?? [];
  return fromUrl ?? type;
}

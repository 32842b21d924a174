// Where the references of a document lead. https://hl7.org/fhir/R4/bundle.html#references
import type { Resource } from '@medplum/fhirtypes';
import { parseLiteral } from '../../fhir/references.ts';

interface Entry {
  readonly fullUrl: string;
  readonly resource: Resource;
}

/**
 * The full URL that a reference of an entry means, without version: of an entry, or absolute and elsewhere. Undefined for
 * one that leads nowhere, and for those within the resource.
 */
export type Resolve = (from: Entry, reference: string) => string | undefined;

const RESTFUL = /^(https?:\/\/.+)\/[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/;

export function addressBook(entries: readonly Entry[]): Resolve {
  const known = new Set(entries.map(({ fullUrl }) => fullUrl));
  const loose = looseNames(entries);
  return ({ fullUrl }, reference) => {
    const plain = reference.replace(/\/_history\/[^/]+$/, '');
    if (known.has(plain) || /^(https?:|urn:)/.test(plain)) return plain;
    const literal = parseLiteral(plain);
    if (!literal) return undefined;
    const root = RESTFUL.exec(fullUrl)?.[1];
    if (root !== undefined) return `${root}/${plain}`;
    // Not as FHIR has it, and yet how many write: from an entry without an address to one by its type and id.
    return loose.get(plain);
  };
}

/** Full URL by `Type/id`, where only one entry is called so. */
function looseNames(entries: readonly Entry[]): Map<string, string> {
  const named = Map.groupBy(entries, ({ resource }) => `${resource.resourceType}/${resource.id}`);
  return new Map(
    [...named].flatMap(([name, [only, ...more]]) => (only && more.length === 0 ? [[name, only.fullUrl]] : [])),
  );
}

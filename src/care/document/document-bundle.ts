// The FHIR document: its Composition, and everything that it leads to, each once and at its own address.
// https://hl7.org/fhir/R4/documents.html
import type { Bundle, Composition, Resource } from '@medplum/fhirtypes';
import { hashJson, type Json } from '../../fhir/canonical-json.ts';
import { expectExact } from '../../fhir/exact-json.ts';
import { parseLiteral, rewriteLinks } from '../../fhir/references.ts';
import { derivedUrn } from '../derived-id.ts';
import type { Caller } from '../records.ts';
import { compositionOf } from './composition.ts';
import type { Exchange } from './exchange.ts';
import type { Gathered } from './gather.ts';
import { labelsOf } from './labels.ts';
import { withOwnIdentifier } from './own-identifier.ts';

export type DocumentBundle = Bundle & { readonly identifier: { readonly system: string; readonly value: string } };

/** The same record makes a document of the same identifier for the same reader. */
export function documentBundle(gathered: Gathered, caller: Caller, exchange: Exchange): DocumentBundle {
  const composition = compositionOf(gathered, caller, exchange.baseUrl);
  const resources = [...gathered.resources.values()].map((each) => {
    const { id, resourceType } = each;
    const resource = withOwnIdentifier(exchange, addressed(gathered, exchange, each as Resource));
    return { fullUrl: `${exchange.fhirBase}/${resourceType}/${id}`, resource };
  });
  const content = hashJson([composition, ...resources] as unknown as Json);
  const fullUrl = derivedUrn('care-plan-document-composition', content);
  const first: Composition = { ...addressed(gathered, exchange, composition), id: fullUrl.slice('urn:uuid:'.length) };
  const labels = labelsOf(resources.map(({ resource }) => resource));
  return expectExact({
    resourceType: 'Bundle',
    ...(labels.length > 0 ? { meta: { security: labels } } : {}),
    identifier: { system: 'urn:ietf:rfc:3986', value: derivedUrn('care-plan-document', content) },
    type: 'document',
    timestamp: caller.now.toString({ fractionalSecondDigits: 3 }),
    entry: [{ fullUrl, resource: absolute(first, exchange) }, ...resources],
  });
}

/** What is not in the document is still to be found where it is. */
function addressed<T extends Resource>({ resources }: Gathered, { fhirBase }: Exchange, resource: T): T {
  return rewriteLinks(resource, (url, kind) => {
    const target = kind === 'reference' ? parseLiteral(url) : undefined;
    if (!target || (target.version === undefined && resources.has(`${target.type}/${target.id}`))) return undefined;
    return `${fhirBase}/${url}`;
  });
}

/** A Composition has no address of its own, against which relative ones could be read. */
function absolute(composition: Composition, { fhirBase }: Exchange): Composition {
  return rewriteLinks(composition, (url, kind) =>
    kind === 'reference' && parseLiteral(url) ? `${fhirBase}/${url}` : undefined,
  );
}

// Bundles as JSON text, put together around resources that are JSON text already. https://hl7.org/fhir/R4/bundle.html
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';

export interface Link {
  readonly relation: 'self' | 'next';
  readonly url: string;
}

export interface EntryParts {
  readonly fullUrl?: string;
  /** JSON text. */
  readonly resource?: string | undefined;
  readonly search?: object;
  readonly request?: object;
  readonly response?: object;
}

export interface BundleParts {
  readonly total?: number | undefined;
  readonly links?: readonly Link[];
  /** JSON texts, from `entryText`. */
  readonly entries: readonly string[];
}

export type BundleType = 'searchset' | 'history' | 'batch-response' | 'transaction-response';

export function bundleText(clock: Clock, type: BundleType, { total, links, entries }: BundleParts): string {
  const head = JSON.stringify({
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { lastUpdated: clock.now().toString({ smallestUnit: 'millisecond' }) },
    type,
    total,
    link: links,
  });
  // R4 has no empty arrays.
  return entries.length === 0 ? head : `${head.slice(0, -1)},"entry":[${entries.join(',')}]}`;
}

export function entryText({ fullUrl, resource, search, request, response }: EntryParts): string {
  // Written member by member: a page has fifty of these.
  let text = '{';
  const add = (name: string, json: string) => {
    text += `${text.length > 1 ? ',' : ''}"${name}":${json}`;
  };
  if (fullUrl !== undefined) add('fullUrl', JSON.stringify(fullUrl));
  if (resource !== undefined && resource !== '') add('resource', resource);
  if (search !== undefined) add('search', JSON.stringify(search));
  if (request !== undefined) add('request', JSON.stringify(request));
  if (response !== undefined) add('response', JSON.stringify(response));
  return `${text}}`;
}

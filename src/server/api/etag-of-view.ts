// The entity tag of a view: the version of what it is about, for If-Match, and a few digits of what it says, because a view
// also shows other resources, which change by themselves. https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
import { createHash } from 'node:crypto';
import { etagOf } from '../../fhir/etag.ts';

/** Undefined for lists and other views without a version. @param text the view as it is sent */
export function etagOfView(view: unknown, text: string): string | undefined {
  const { version } = view as { readonly version?: unknown };
  if (typeof version !== 'string') return undefined;
  return etagOf(`${version}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`);
}

/** @param ifNoneMatch the header; https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 */
export function isKnown(etag: string, ifNoneMatch: string | undefined): boolean {
  const tags = ifNoneMatch?.split(',').map((tag) => tag.trim()) ?? [];
  return tags.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag.replace(/^W\//, ''));
}

// What a reference points at, in the form that the index and the queries share.
// https://hl7.org/fhir/R4/search.html#reference

/** A resource of this server, or (type '') the URL of something elsewhere. Versions are dropped: search finds current resources. */
export interface ReferenceTarget {
  readonly type: string;
  readonly id: string;
}

const LOCAL = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;
const REMOTE_TYPE = /\/([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[^/]+)?$/;
const VERSION = /\/_history\/[^/]+$/;

/**
 * @param baseUrl this server's base without a trailing slash; absolute URLs below it are local references
 * @returns undefined for the empty text and for references to contained resources, which have no identity
 */
export function referenceTarget(text: string, baseUrl: string): ReferenceTarget | undefined {
  const local = text.startsWith(`${baseUrl}/`) ? text.slice(baseUrl.length + 1) : text;
  const match = LOCAL.exec(local);
  if (match?.[1] && match[2]) return { type: match[1], id: match[2] };
  if (text === '' || text.startsWith('#')) return undefined;
  return { type: '', id: text.replace(VERSION, '') };
}

/** The resource type that the form of a reference tells, also of one elsewhere; undefined when it does not tell. */
export function typeOfTarget(target: ReferenceTarget): string | undefined {
  return target.type || REMOTE_TYPE.exec(target.id)?.[1];
}

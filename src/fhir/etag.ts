// Version ids as HTTP entity tags. https://hl7.org/fhir/R4/http.html#concurrency
import { Fault } from '../fault.ts';

/** `3` -> `W/"3"` */
export function etagOf(versionId: string): string {
  return `W/"${versionId}"`;
}

/**
 * The version id in an entity tag; `"3"` is taken as well as `W/"3"`, because clients send both.
 * @param where what carried it, for the message: `If-Match`, `Bundle.entry[2].request.ifMatch`
 * @throws Fault invalid
 */
export function versionOf(etag: string, where: string): string {
  const version = /^(?:W\/)?"([A-Za-z0-9\-.]{1,64})"$/.exec(etag.trim())?.[1];
  if (version) return version;
  throw new Fault('invalid', `${where} must be one version tag like W/"3".`, { code: 'value', expression: where });
}

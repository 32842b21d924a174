// JSON is the only format: requests and answers in another one are refused, not misread.
// https://hl7.org/fhir/R4/http.html#mime-type
import type { IncomingHttpHeaders } from 'node:http';
import { Fault } from '../../fault.ts';
import type { Pairs } from '../../fhir/request-url.ts';

const JSON_TYPES = new Set(['application/fhir+json', 'application/json', 'text/json', 'application/*', '*/*']);
const FORMATS = new Set(['json', 'application/json', 'application/fhir+json', 'text/json']);

/** @throws Fault not-acceptable when the client takes no JSON */
export function checkAccept(accept: string | undefined, pairs: Pairs): void {
  const format = pairs.find(([name]) => name === '_format')?.[1];
  if (format !== undefined) {
    // `+` of an unescaped application/fhir+json arrives as a space.
    if (FORMATS.has(mediaType(format).replace(' ', '+'))) return;
    throw new Fault('not-acceptable', 'Baton answers in JSON only: _format=json.');
  }
  if (accept === undefined || accept === '' || accept.split(',').some(isJson)) return;
  throw new Fault('not-acceptable', 'Baton answers in application/fhir+json only.');
}

/**
 * @param expected media types the route takes
 * @throws Fault media-type
 */
export function checkContentType(headers: IncomingHttpHeaders, expected: readonly string[]): void {
  const given = headers['content-type'];
  if (given === undefined) return;
  const charset = /charset\s*=\s*"?([\w-]+)/i.exec(given)?.[1];
  const version = /fhirVersion\s*=\s*"?([\d.]+)/i.exec(given)?.[1];
  const known = expected.includes(mediaType(given));
  if (known && (charset === undefined || /^utf-?8$/i.test(charset)) && (version === undefined || isR4(version))) return;
  throw new Fault('media-type', `The body must be ${expected.join(' or ')} in UTF-8, for FHIR 4.0.`);
}

function isJson(range: string): boolean {
  const version = /fhirVersion\s*=\s*"?([\d.]+)/i.exec(range)?.[1];
  const refused = /;\s*q\s*=\s*0(\.0*)?\s*(;|$)/i.test(range);
  return JSON_TYPES.has(mediaType(range)) && !refused && (version === undefined || isR4(version));
}

const isR4 = (version: string) => /^4\.0(\.\d+)?$/.test(version);

const mediaType = (text: string) => (text.split(';', 1)[0] ?? '').trim().toLowerCase();

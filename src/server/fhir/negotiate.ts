// JSON is the only format: requests and answers in another one are refused, not misread.
// https://hl7.org/fhir/R4/http.html#mime-type and https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
import type { IncomingHttpHeaders } from 'node:http';
import { Fault } from '../../fault.ts';
import type { Pairs } from '../../fhir/request-url.ts';

/** What the answer may be called, the one it is called first. */
const OFFERED = ['application/fhir+json', 'application/json', 'text/json'];
const FORMATS = new Set(['json', ...OFFERED]);

/** @throws Fault not-acceptable when the client takes no JSON */
export function checkAccept(accept: string | undefined, pairs: Pairs): void {
  const format = pairs.find(([name]) => name === '_format')?.[1];
  if (format !== undefined) {
    // `+` of an unescaped application/fhir+json arrives as a space.
    if (FORMATS.has(mediaType(format).replace(' ', '+')) && isForR4(format)) return;
    throw new Fault('not-acceptable', 'Baton answers in JSON for FHIR 4.0 only: _format=json.');
  }
  if (accept === undefined || accept === '' || accept === '*/*' || takesJson(accept)) return;
  throw new Fault('not-acceptable', 'Baton answers in application/fhir+json for FHIR 4.0 only.');
}

/**
 * @param expected media types the route takes
 * @throws Fault media-type
 */
export function checkContentType(headers: IncomingHttpHeaders, expected: readonly string[]): void {
  const given = headers['content-type'];
  if (given === undefined) return;
  const charset = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(given)?.[1];
  const known = expected.includes(mediaType(given));
  if (known && (charset === undefined || /^utf-?8$/i.test(charset)) && isForR4(given)) return;
  throw new Fault('media-type', `The body must be ${expected.join(' or ')} in UTF-8, for FHIR 4.0.`);
}

/** The most specific range that fits a media type decides about it, wherever it stands in the list. */
function takesJson(accept: string): boolean {
  const ranges = accept.split(',').filter(isForR4);
  return OFFERED.some((type) => {
    const [main = ''] = type.split('/');
    for (const name of [type, `${main}/*`, '*/*']) {
      const range = ranges.find((each) => mediaType(each) === name);
      if (range !== undefined) return quality(range) > 0;
    }
    return false;
  });
}

function quality(range: string): number {
  const given = /;\s*q\s*=\s*([\d.]+)/i.exec(range)?.[1];
  return given === undefined ? 1 : Number(given);
}

/** https://hl7.org/fhir/R4/http.html#version-parameter */
function isForR4(mediaRange: string): boolean {
  const version = /;\s*fhirVersion\s*=\s*"?([\w.]+)/i.exec(mediaRange)?.[1];
  return version === undefined || /^4\.0(\.\d+)?$/.test(version);
}

const mediaType = (text: string) => (text.split(';', 1)[0] ?? '').trim().toLowerCase();

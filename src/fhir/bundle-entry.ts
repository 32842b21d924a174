// One entry of a batch or transaction: its request, and what it asks for. https://hl7.org/fhir/R4/bundle.html

import { type EntryTarget, optionalText, readChange } from './bundle-change.ts';
import { type BundleRules, isObject, type Json, wrong } from './bundle-rules.ts';
import type { Change } from './change.ts';
import { httpDate } from './http-date.ts';
import { isId, type Pairs, parseRequestUrl } from './request-url.ts';

/** A request that changes nothing, or an operation; answered like the same request outside of a Bundle. */
export interface Question {
  readonly kind: 'question';
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** Of the path below the base, decoded. */
  readonly segments: readonly string[];
  readonly pairs: Pairs;
  /** The conditions of the entry as the HTTP headers they stand for. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body of an operation. */
  readonly resource?: Json;
}

/** What one entry asks for. */
export type EntryRequest = { readonly kind: 'change'; readonly type: string; readonly change: Change } | Question;

/** @throws Fault invalid that names the part of the entry which is wrong */
export function readEntry(entry: unknown, at: string, rules: BundleRules): EntryRequest {
  const request = isObject(entry) && isObject(entry.request) ? entry.request : undefined;
  if (!isObject(entry) || !request) throw wrong('The entry has no request.', `${at}.request`, 'required');
  const { method, url } = request;
  if (typeof url !== 'string' || url === '')
    throw wrong('The entry has no request.url.', `${at}.request.url`, 'required');
  const { segments, pairs } = parseRequestUrl(url, rules.baseUrl, `${at}.request.url`);
  checkPath(segments, `${at}.request.url`, rules);
  if (method === 'GET' || method === 'HEAD') {
    return { kind: 'question', method, segments, pairs, headers: conditionsOf(request, at) };
  }
  if (method === 'POST' && segments.at(-1)?.startsWith('$')) {
    const body = isObject(entry.resource) ? { resource: entry.resource } : {};
    return { kind: 'question', method, segments, pairs, headers: {}, ...body };
  }
  const [type, id, ...rest] = segments;
  if (type === undefined || rest.length > 0 || id?.startsWith('_')) {
    throw wrong(`${String(method)} does not apply to this URL.`, `${at}.request.url`, 'not-supported');
  }
  const target: EntryTarget = { at, type, id, pairs, request };
  return { kind: 'change', type, change: readChange(method, target, entry) };
}

/** What does not begin with a resource type is about the whole system, and only questions are. */
function checkPath([first, id]: readonly string[], where: string, rules: BundleRules): void {
  if (first === undefined || first === 'metadata' || first === '_history' || first.startsWith('$')) return;
  if (!rules.isType(first)) throw wrong(`${first} is not a resource type.`, where, 'not-supported');
  if (id !== undefined && !isId(id) && !/^[_$]/.test(id)) throw wrong(`${id} is not a resource id.`, where, 'value');
}

function conditionsOf(request: Json, at: string): Record<string, string> {
  const tag = optionalText(request, 'ifNoneMatch', at);
  const since = optionalText(request, 'ifModifiedSince', at);
  return {
    ...(tag === undefined ? {} : { 'if-none-match': tag }),
    ...(since === undefined ? {} : { 'if-modified-since': dateOf(since, `${at}.request.ifModifiedSince`) }),
  };
}

/** The instant of an entry as the date of a header. */
function dateOf(instant: string, where: string): string {
  try {
    return httpDate(Temporal.Instant.from(instant));
  } catch {
    throw wrong('ifModifiedSince must be an instant such as 2026-11-24T08:30:00Z.', where, 'value');
  }
}

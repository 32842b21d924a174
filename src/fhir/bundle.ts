// Batch and transaction Bundles, read and checked: each entry becomes a change or a question. Nothing is run here.
// https://hl7.org/fhir/R4/http.html#transaction
import type { Resource } from '@medplum/fhirtypes';
import { asFault, Fault, type FaultKind } from '../fault.ts';
import type { Change } from './change.ts';
import { versionOf } from './etag.ts';
import { criteriaOf, isId, type Pairs, parseRequestUrl } from './request-url.ts';

/** What one entry asks for. */
export type EntryRequest =
  | { readonly kind: 'change'; readonly type: string; readonly change: Change }
  | {
      readonly kind: 'read';
      readonly type: string;
      readonly id: string;
      readonly versionId?: string;
      /** Version the caller has already. */
      readonly ifNoneMatch?: string;
    }
  | { readonly kind: 'search'; readonly type: string; readonly patient?: string; readonly pairs: Pairs };

export interface BundleRequest {
  readonly type: 'batch' | 'transaction';
  /** In the order of the Bundle. A Fault where a batch entry cannot be understood. */
  readonly entries: readonly (EntryRequest | Fault)[];
}

export interface BundleRules {
  /** FHIR base URL; entry URLs may be absolute below it. */
  readonly baseUrl: string;
  readonly isType: (type: string) => boolean;
  readonly maxEntries: number;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * @throws Fault invalid when it is not a batch or transaction, or when any entry of a transaction is wrong (all of them
 * are listed); too-large
 */
export function readBundle(body: unknown, rules: BundleRules): BundleRequest {
  if (!isObject(body) || body.resourceType !== 'Bundle') {
    throw new Fault('invalid', 'The base URL takes a Bundle of type batch or transaction.', { code: 'structure' });
  }
  const type = body.type;
  if (type !== 'batch' && type !== 'transaction') {
    throw new Fault('invalid', 'Bundle.type must be batch or transaction here.', {
      expression: 'Bundle.type',
      code: 'value',
    });
  }
  const given = body.entry ?? [];
  if (!Array.isArray(given)) {
    throw new Fault('invalid', 'Bundle.entry must be an array.', { expression: 'Bundle.entry', code: 'structure' });
  }
  if (given.length > rules.maxEntries) {
    throw new Fault(
      'too-large',
      `A Bundle may have at most ${rules.maxEntries} entries; this one has ${given.length}.`,
    );
  }
  const entries = given.map((entry, index) => attempt(() => readEntry(entry, `Bundle.entry[${index}]`, rules)));
  if (type === 'transaction') {
    throwTogether(entries.filter((entry) => entry instanceof Fault));
    refuseOverlaps(entries.filter((entry) => !(entry instanceof Fault)));
  }
  return { type, entries };
}

function readEntry(entry: unknown, at: string, rules: BundleRules): EntryRequest {
  const request = isObject(entry) && isObject(entry.request) ? entry.request : undefined;
  if (!isObject(entry) || !request) throw wrong('The entry has no request.', `${at}.request`, 'required');
  const method = request.method;
  if (typeof request.url !== 'string' || request.url === '') {
    throw wrong('The entry has no request.url.', `${at}.request.url`, 'required');
  }
  const { segments, pairs } = parseRequestUrl(request.url, rules.baseUrl, `${at}.request.url`);
  const [type, id, ...rest] = segments;
  if (!type || !rules.isType(type)) {
    throw wrong(`${type ?? 'Nothing'} is not a resource type.`, `${at}.request.url`, 'not-supported');
  }
  if (id !== undefined && !isId(id)) throw wrong(`${id} is not a resource id.`, `${at}.request.url`, 'value');
  const target = { at, type, id, pairs, request };
  if (method === 'GET') return readQuestion(target, rest, rules);
  if (rest.length > 0) throw wrong(`${method} does not apply to this URL.`, `${at}.request.url`, 'not-supported');
  switch (method) {
    case 'POST':
      return { kind: 'change', type, change: readCreate(target, entry) };
    case 'PUT':
      return { kind: 'change', type, change: readUpdate(target, entry) };
    case 'DELETE':
      return { kind: 'change', type, change: readDelete(target) };
    default:
      throw wrong('request.method must be GET, POST, PUT or DELETE.', `${at}.request.method`, 'not-supported');
  }
}

interface Target {
  readonly at: string;
  readonly type: string;
  readonly id: string | undefined;
  readonly pairs: Pairs;
  readonly request: Json;
}

function readQuestion(target: Target, rest: readonly string[], rules: BundleRules): EntryRequest {
  const { at, type, id, pairs, request } = target;
  if (id === undefined) return { kind: 'search', type, pairs };
  const [third, fourth] = rest;
  if (third === undefined) {
    const tag = optionalText(request, 'ifNoneMatch', at);
    const ifNoneMatch = tag === undefined ? {} : { ifNoneMatch: versionOf(tag, `${at}.request.ifNoneMatch`) };
    return { kind: 'read', type, id, ...ifNoneMatch };
  }
  if (third === '_history' && fourth !== undefined && isId(fourth) && rest.length === 2) {
    return { kind: 'read', type, id, versionId: fourth };
  }
  if (type === 'Patient' && rules.isType(third) && rest.length === 1) {
    return { kind: 'search', type: third, patient: id, pairs };
  }
  throw wrong('Baton does not answer this URL inside a Bundle.', `${at}.request.url`, 'not-supported');
}

function readCreate({ at, type, id, request }: Target, entry: Json): Change {
  if (id !== undefined) throw wrong('POST takes a type, not an id.', `${at}.request.url`, 'value');
  const resource = resourceOf(entry, type, at);
  const condition = optionalText(request, 'ifNoneExist', at);
  return {
    op: 'create',
    resource,
    ...fullUrlOf(entry, at),
    ...(condition === undefined ? {} : { ifNoneExist: criteriaOf(condition, type, `${at}.request.ifNoneExist`) }),
  };
}

function readUpdate({ at, type, id, pairs, request }: Target, entry: Json): Change {
  const resource = resourceOf(entry, type, at);
  const common = { op: 'update', resource, ...fullUrlOf(entry, at), ...ifMatchOf(request, at) } as const;
  if (id === undefined) return { ...common, query: criteriaIn(type, pairs, at) };
  if (resource.id !== id) {
    throw wrong('The id of the resource and of the URL must be the same.', `${at}.resource.id`, 'value');
  }
  return common;
}

function readDelete({ at, type, id, pairs, request }: Target): Change {
  const selected = id === undefined ? { query: criteriaIn(type, pairs, at) } : { id };
  return { op: 'delete', type, ...selected, ...ifMatchOf(request, at) };
}

const criteriaIn = (type: string, pairs: Pairs, at: string) =>
  criteriaOf(new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString(), type, `${at}.request.url`);

function resourceOf(entry: Json, type: string, at: string): Resource & { id?: string } {
  const resource = entry.resource;
  if (!isObject(resource)) throw wrong('The entry has no resource.', `${at}.resource`, 'required');
  if (resource.resourceType !== type) {
    throw wrong(`The URL names ${type}, the resource says otherwise.`, `${at}.resource`, 'value');
  }
  return resource as unknown as Resource;
}

function fullUrlOf(entry: Json, at: string): { fullUrl?: string } {
  if (entry.fullUrl === undefined) return {};
  if (typeof entry.fullUrl !== 'string' || !/^[a-z][a-z0-9+.-]*:\S+$/i.test(entry.fullUrl)) {
    throw wrong('fullUrl must be an absolute URI, e.g. urn:uuid:….', `${at}.fullUrl`, 'value');
  }
  return { fullUrl: entry.fullUrl };
}

function ifMatchOf(request: Json, at: string): { ifMatch?: string } {
  const tag = optionalText(request, 'ifMatch', at);
  return tag === undefined ? {} : { ifMatch: versionOf(tag, `${at}.request.ifMatch`) };
}

function optionalText(request: Json, name: string, at: string): string | undefined {
  const value = request[name];
  if (value === undefined || typeof value === 'string') return value;
  throw wrong(`request.${name} must be text.`, `${at}.request.${name}`, 'structure');
}

/** Two entries on one identity have no defined order, and two resources with one fullUrl make references ambiguous. */
function refuseOverlaps(entries: readonly EntryRequest[]): void {
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== 'change') continue;
    for (const key of identitiesOf(entry.type, entry.change)) {
      if (seen.has(key)) {
        const sentence = 'Another entry of the transaction has the same identity.';
        throw wrong(sentence, `Bundle.entry[${index}]`, 'duplicate');
      }
      seen.add(key);
    }
  }
}

function identitiesOf(type: string, change: Change): string[] {
  const fullUrl = change.op !== 'delete' && change.fullUrl ? [`fullUrl ${change.fullUrl}`] : [];
  if (change.op === 'create') return fullUrl;
  const id = change.op === 'delete' ? change.id : change.resource.id;
  return [...fullUrl, change.query === undefined ? `${type}/${id}` : `${type}?${change.query}`];
}

function throwTogether(faults: readonly Fault[]): void {
  const [first] = faults;
  if (!first) return;
  throw new Fault(first.kind, first.message, { issues: faults.flatMap((fault) => fault.issues) });
}

function attempt<T>(work: () => T): T | Fault {
  try {
    return work();
  } catch (error) {
    return asFault(error);
  }
}

type Code = 'required' | 'value' | 'structure' | 'not-supported' | 'duplicate';

function wrong(message: string, expression: string, code: Code, kind: FaultKind = 'invalid'): Fault {
  return new Fault(kind, message, { expression, code });
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

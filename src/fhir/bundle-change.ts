// The entries of a Bundle that change something. https://hl7.org/fhir/R4/http.html#transaction
import type { Resource } from '@medplum/fhirtypes';
import { asFault, Fault } from '../fault.ts';
import { isObject, type Json, wrong } from './bundle-rules.ts';
import type { Change } from './change.ts';
import { versionOf } from './etag.ts';
import { readPatchResource } from './patch/patch.ts';
import { criteriaOf, type Pairs } from './request-url.ts';
import { refuseSubsetted } from './subset.ts';

/** Whom an entry is about. */
export interface EntryTarget {
  /** Of the entry in the Bundle, for messages. */
  readonly at: string;
  readonly type: string;
  readonly id: string | undefined;
  readonly pairs: Pairs;
  readonly request: Json;
}

/** @throws Fault invalid that names the part of the entry which is wrong */
export function readChange(method: unknown, target: EntryTarget, entry: Json): Change {
  switch (method) {
    case 'POST':
      return readCreate(target, entry);
    case 'PUT':
      return readUpdate(target, entry);
    case 'PATCH':
      return readPatchEntry(target, entry);
    case 'DELETE':
      return readDelete(target);
    default: {
      const sentence = 'request.method must be GET, HEAD, POST, PUT, PATCH or DELETE.';
      throw wrong(sentence, `${target.at}.request.method`, 'not-supported');
    }
  }
}

function readCreate({ at, type, id, request }: EntryTarget, entry: Json): Change {
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

function readUpdate(target: EntryTarget, entry: Json): Change {
  const { at, type, id, pairs, request } = target;
  const resource = resourceOf(entry, type, at);
  within(`${at}.resource`, () => refuseSubsetted(resource));
  const conditions = { ...ifMatchOf(request, at), ...ifAbsentOf(request, at) };
  const common = { op: 'update', resource, ...fullUrlOf(entry, at), ...conditions } as const;
  if (id === undefined) return { ...common, query: criteriaIn(type, pairs, at) };
  if (resource.id !== id) {
    throw wrong('The id of the resource and of the URL must be the same.', `${at}.resource.id`, 'value');
  }
  return common;
}

function readPatchEntry(target: EntryTarget, entry: Json): Change {
  const { at, type, request } = target;
  const { resource } = entry;
  if (!isObject(resource)) {
    throw wrong('A PATCH needs a Binary with a JSON Patch, or Parameters.', `${at}.resource`, 'required');
  }
  const { revise, tellsContent } = within(`${at}.resource`, () => readPatchResource(resource));
  return { op: 'patch', type, revise, tellsContent, ...selectedBy(target), ...ifMatchOf(request, at) };
}

function readDelete(target: EntryTarget): Change {
  const { at, type, request } = target;
  return { op: 'delete', type, ...selectedBy(target), ...ifMatchOf(request, at) };
}

function selectedBy({ at, type, id, pairs }: EntryTarget): { id: string } | { query: string } {
  return id === undefined ? { query: criteriaIn(type, pairs, at) } : { id };
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

/** @throws Fault invalid for another tag than `*`, which would make no sense for an update */
function ifAbsentOf(request: Json, at: string): { ifAbsent?: true } {
  const tag = optionalText(request, 'ifNoneMatch', at);
  if (tag === undefined) return {};
  if (tag.trim() === '*') return { ifAbsent: true };
  throw wrong('For a PUT ifNoneMatch can only be *: create, but do not replace.', `${at}.request.ifNoneMatch`, 'value');
}

/** @throws Fault invalid when it is there and no text */
export function optionalText(request: Json, name: string, at: string): string | undefined {
  const value = request[name];
  if (value === undefined || typeof value === 'string') return value;
  throw wrong(`request.${name} must be text.`, `${at}.request.${name}`, 'structure');
}

/** Issues of what an entry contains, with the entry named in front. */
function within<T>(at: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const fault = asFault(error);
    const issues = fault.issues.map((issue) => ({
      ...issue,
      expression: issue.expression?.map((expression) => `${at}.${expression}`.replace('.[', '[')) ?? [at],
    }));
    throw new Fault(fault.kind, fault.message, { issues, cause: error });
  }
}

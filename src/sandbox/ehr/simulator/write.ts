// Creates, updates, patches and deletes as the vendor takes them. https://hl7.org/fhir/R4/http.html
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DocumentReference, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import { httpDate } from '../../../fhir/http-date.ts';
import { readJsonPatch } from '../../../fhir/patch/json-patch.ts';
import type { Ability } from '../vendors/vendor-rules.ts';
import { textOf } from './dress.ts';
import type { Answer, Asked, Ehr } from './ehr.ts';
import type { Version } from './records.ts';
import { Refusal } from './refusal.ts';
import { matchesOf, readSearch } from './search.ts';
import { checkWrite, readBody, sanitised } from './write-checks.ts';

/** @throws Refusal */
export function requireAbility(ehr: Ehr, type: string, ability: Ability): void {
  if (!ehr.abilities.types().includes(type)) throw new Refusal('unknown-type', `${type} is not kept here.`);
  if (!ehr.abilities.can(type, ability)) throw new Refusal('not-offered', `${ability} of ${type} is not offered.`);
}

/** @throws Refusal */
export async function create(ehr: Ehr, type: string, asked: Asked): Promise<Answer> {
  requireAbility(ehr, type, 'create');
  const condition = asked.headers['if-none-exist'];
  if (ehr.abilities.has('conditional') && typeof condition === 'string') {
    const found = findOne(ehr, type, condition);
    if (found) return answerOf(ehr, 200, found, asked);
    if (ehr.knobs.racyCreates) await nextTurn();
  }
  return answerOf(ehr, 201, createOne(ehr, type, readBody(asked.body)), asked);
}

/** The one resource that meets the condition of a conditional create. @throws Refusal several-match */
export function findOne(ehr: Ehr, type: string, condition: string): Version | undefined {
  const search = readSearch(ehr, type, [...new URLSearchParams(condition)]);
  const [found, another] = matchesOf(ehr, search);
  if (another) throw new Refusal('several-match', 'More than one resource meets If-None-Exist.');
  return found;
}

/** @param id given for PUT to an id of the client's choice */
export function createOne(ehr: Ehr, type: string, resource: Resource, id = ehr.newId()): Version {
  checkWrite(ehr, type, resource, true);
  const version = ehr.records.write(type, id, kept(ehr, resource, id));
  if (type === 'DocumentReference') ehr.documents.filed(resource as DocumentReference, ehr.now());
  return version;
}

/** @throws Refusal */
export function update(ehr: Ehr, type: string, id: string, asked: Asked): Answer {
  requireAbility(ehr, type, 'update');
  const { version, isNew } = updateOne(ehr, type, id, readBody(asked.body), asked.headers['if-match']);
  return answerOf(ehr, isNew ? 201 : 200, version, asked);
}

/** @throws Refusal */
export function updateOne(
  ehr: Ehr,
  type: string,
  id: string,
  resource: Resource,
  ifMatch: string | string[] | undefined,
): { version: Version; isNew: boolean } {
  if (resource.id !== id) throw new Refusal('syntax', 'The id of the body is not the id of the URL.');
  const current = ehr.records.newest(type, id);
  if (current?.resource === undefined && ehr.abilities.has('conditional')) {
    if (ifMatch !== undefined) throw new Refusal('version-stale', `${type}/${id} has no such version.`);
    return { version: createOne(ehr, type, resource, id), isNew: current === undefined };
  }
  guard(ehr, present(current, type, id), ifMatch);
  checkWrite(ehr, type, resource, false);
  return { version: ehr.records.write(type, id, kept(ehr, resource, id)), isNew: false };
}

/** @throws Refusal */
export function patch(ehr: Ehr, type: string, id: string, asked: Asked): Answer {
  requireAbility(ehr, type, 'patch');
  const current = present(ehr.records.newest(type, id), type, id);
  guard(ehr, current, asked.headers['if-match']);
  const { patchable } = ehr.rules.types[type] ?? {};
  const changed = patched(current, asked.body, patchable);
  checkWrite(ehr, type, changed, false);
  return answerOf(ehr, 200, ehr.records.write(type, id, kept(ehr, changed, id)), asked);
}

function patched(current: Version, text: string, patchable: readonly string[] | undefined): Resource {
  try {
    const operations: unknown = JSON.parse(text);
    const apply = readJsonPatch(operations);
    for (const { path } of operations as { path: string }[]) {
      if (patchable && !patchable.some((allowed) => path === allowed || path.startsWith(`${allowed}/`))) {
        throw new Refusal('element-refused', `${path} cannot be patched.`);
      }
    }
    return apply(structuredClone(current.resource as Resource));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal('syntax', 'The body is not JSON.');
    if (error instanceof Fault) throw new Refusal('element-refused', error.message);
    throw error;
  }
}

/** @throws Refusal */
export function remove(ehr: Ehr, type: string, id: string, asked: Asked): Answer {
  requireAbility(ehr, type, 'delete');
  removeOne(ehr, type, id, asked.headers['if-match']);
  return { status: 204, headers: {}, body: '' };
}

/** Deleting what is deleted changes nothing. @throws Refusal */
export function removeOne(ehr: Ehr, type: string, id: string, ifMatch: string | string[] | undefined): void {
  const current = ehr.records.newest(type, id);
  if (current && current.resource === undefined) return;
  guard(ehr, present(current, type, id), ifMatch, 'honoured');
  ehr.records.write(type, id, undefined);
}

/** @throws Refusal not-found | deleted */
export function present(version: Version | undefined, type: string, id: string): Version {
  if (!version) throw new Refusal('not-found', `${type}/${id} is not known.`);
  if (version.resource === undefined) throw new Refusal('deleted', `${type}/${id} was deleted.`);
  return version;
}

/** @throws Refusal version-missing | version-stale */
function guard({ rules }: Ehr, current: Version, given: string | string[] | undefined, rule = rules.ifMatch): void {
  if (given === undefined) {
    if (rule === 'required') throw new Refusal('version-missing', 'The update needs If-Match.');
    return;
  }
  const number = /^(?:W\/)?"?(\d+)"?$/.exec(String(given))?.[1];
  if (Number(number) !== current.number) throw new Refusal('version-stale', 'If-Match names another version.');
}

/** What is stored: without version, without what the vendor takes out. */
function kept({ rules }: Ehr, resource: Resource, id: string): Resource {
  const { versionId: _, lastUpdated: __, ...meta } = resource.meta ?? {};
  const { meta: ___, ...rest } = resource;
  const clean = { ...rest, id, ...(Object.keys(meta).length > 0 ? { meta } : {}) } as Resource;
  return rules.sanitisesText ? sanitised(clean) : clean;
}

/** Headers that name a version, where the server shows versions. */
export function versionHeaders(ehr: Ehr, { number, at }: Version): Record<string, string> {
  if (!ehr.abilities.has('versions')) return {};
  const modified = httpDate(Temporal.Instant.fromEpochMilliseconds(at));
  return { etag: `W/"${number}"`, 'last-modified': modified };
}

function answerOf(ehr: Ehr, status: number, version: Version, asked: Asked): Answer {
  const { type, id, number } = version;
  const url = `${ehr.base()}/${type}/${id}${ehr.abilities.has('versions') ? `/_history/${number}` : ''}`;
  const headers = {
    ...versionHeaders(ehr, version),
    ...(asked.method === 'POST' || status === 201 ? { location: url } : {}),
  };
  const minimal = !ehr.rules.returnsBody || /return=minimal/.test(String(asked.headers.prefer ?? ''));
  return { status, headers, body: minimal ? '' : textOf(ehr, version) };
}

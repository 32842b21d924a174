// History of one resource, a type or everything, newest first, deletes included. https://hl7.org/fhir/R4/http.html#history
import { dateRange } from '../../../fhir/search/date-range.ts';
import { textOf } from './dress.ts';
import type { Ehr } from './ehr.ts';
import type { Version } from './records.ts';
import { Refusal } from './refusal.ts';

const REQUEST = { create: ['POST', '201'], update: ['PUT', '200'], delete: ['DELETE', '204'] } as const;

/** JSON text of one entry. */
export function historyEntry(ehr: Ehr, version: Version): string {
  const { op, type, id, number, lastUpdated } = version;
  const [method, status] = REQUEST[op];
  const url = op === 'create' ? type : `${type}/${id}`;
  const head = `"fullUrl":${JSON.stringify(`${ehr.base()}/${type}/${id}`)}`;
  const resource = version.resource ? `,"resource":${textOf(ehr, version)}` : '';
  const response = { status, etag: `W/"${number}"`, lastModified: lastUpdated };
  return `{${head}${resource},"request":${JSON.stringify({ method, url })},"response":${JSON.stringify(response)}}`;
}

/** @throws Refusal parameter-value */
export function historyOf(
  ehr: Ehr,
  type: string | undefined,
  id: string | undefined,
  pairs: readonly (readonly [string, string])[],
): { items: Version[]; size: number } {
  const asked = new Map(pairs);
  const since = asked.get('_since');
  const from = since === undefined ? undefined : dateRange(since.replace(' ', '+'));
  if (since !== undefined && !from) throw new Refusal('parameter-value', `_since must be an instant, not "${since}".`);
  const all = type !== undefined && id !== undefined ? [...ehr.records.versions(type, id)] : ehr.records.history(type);
  const size = Number(asked.get('_count') ?? ehr.rules.paging.page) || ehr.rules.paging.page;
  return {
    items: all.filter(({ at }) => from === undefined || at >= from.low).reverse(),
    size: Math.min(size, ehr.rules.paging.most),
  };
}

// What every list of /ops has in common: `?limit=` and `?after=` page it, every other parameter filters it. A filter may be written
// as it is in the documents or as in the rows: `localId` or `local_id`.
import type { FastifyRequest } from 'fastify';
import { Fault } from '../../fault.ts';
import { pairsOf } from '../../fhir/request-url.ts';
import { columnOf } from '../../sync/messages/message-search.ts';

export interface ListRequest {
  readonly limit: number;
  /** `next` of an earlier page. */
  readonly after?: string;
  readonly filter: Readonly<Record<string, string>>;
}

export interface ListPage {
  readonly items: readonly object[];
  /** Absent on the last page. */
  readonly next?: string;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** @throws Fault invalid for a limit that is no count or too high, or a filter the list does not have */
export function listRequest(request: FastifyRequest, filters: readonly string[]): ListRequest {
  const named = (name: string) => filters.find((filter) => columnOf(filter) === columnOf(name)) ?? name;
  const sent = pairsOf(request.url.split('?').slice(1).join('?'));
  const pairs = sent.map(([name, value]) => [named(name), value] as const);
  const { limit, after, ...filter } = Object.fromEntries(pairs);
  const twice = pairs.find(([name], index) => pairs.findIndex(([other]) => other === name) < index)?.[0];
  if (twice !== undefined) throw new Fault('invalid', `${twice} is there twice.`, { code: 'value', expression: twice });
  const rows = limit === undefined ? DEFAULT_LIMIT : /^[1-9]\d{0,8}$/.test(limit) ? Number(limit) : 0;
  if (rows < 1 || rows > MAX_LIMIT) {
    const text = `limit must be a whole number from 1 to ${MAX_LIMIT}; what is beyond is on the next page.`;
    throw new Fault('invalid', text, { code: 'value', expression: 'limit' });
  }
  const unknown = Object.keys(filter).find((name) => !filters.includes(name));
  if (unknown !== undefined) {
    const known = ['limit', 'after', ...filters].join(', ');
    throw new Fault('invalid', `The list does not know the parameter ${unknown}; it knows ${known}.`, {
      code: 'not-supported',
      expression: unknown,
    });
  }
  return { limit: rows, ...(after === undefined ? {} : { after }), filter };
}

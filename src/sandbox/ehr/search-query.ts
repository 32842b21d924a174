// Search parameters on their way to Medplum's engine: what it would silently ignore is refused, what it gets wrong is
// put right. https://hl7.org/fhir/R4/search.html
import { OperationOutcomeError } from '@medplum/core';
import { refused, unsupported } from './outcomes.ts';
import { EHR_TYPES, searchableParameters } from './vocabulary.ts';

export interface PreparedSearch {
  readonly type: string;
  /** Path and query for the router. */
  readonly url: string;
  /** What was asked, for the `self` link. */
  readonly pairs: readonly [string, string][];
  readonly count: number;
  readonly offset: number;
}

const DEFAULT_COUNT = 50;
const MAX_COUNT = 500;
const CONTROLS = new Set(['_sort', '_count', '_offset', '_total', '_include', '_revinclude', '_summary', '_format']);
const MODIFIERS = new Set(['', 'not', 'missing', 'iterate']);

/** @throws OperationOutcomeError 400 for what this server cannot do, 404 for an unknown type */
export function prepareSearch(type: string, asked: readonly [string, string][], base: string): PreparedSearch {
  const known = new Set(searchableParameters(type).map((parameter) => parameter.code));
  for (const [key, value] of asked) checkParameter(type, known, key, value);
  const count = Math.min(wholeNumber(asked, '_count') ?? DEFAULT_COUNT, MAX_COUNT);
  const offset = wholeNumber(asked, '_offset') ?? 0;
  const sent = asked
    .filter(([key]) => key !== '_count' && key !== '_offset' && key !== '_format' && key !== '_total')
    .map(([key, value]): [string, string] => [
      key,
      key === '_sort' ? leastFirst(value) : value.replaceAll(`${base}/`, ''),
    ]);
  sent.push(['_count', String(count)], ['_offset', String(offset)]);
  return { type, url: `${type}?${new URLSearchParams(sent)}`, pairs: asked, count, offset };
}

/** Links of one page; `next` only when more matches follow. */
export function pageLinks(search: PreparedSearch, base: string, total: number): { relation: string; url: string }[] {
  const url = (offset: number) => {
    const pairs = search.pairs.filter(([key]) => key !== '_offset' && key !== '_count');
    const page: [string, string][] = [['_count', String(search.count)]];
    if (offset > 0) page.push(['_offset', String(offset)]);
    return `${base}/${search.type}?${new URLSearchParams([...pairs, ...page])}`;
  };
  const links = [{ relation: 'self', url: url(search.offset) }];
  const next = search.offset + search.count;
  if (search.count > 0 && next < total) links.push({ relation: 'next', url: url(next) });
  return links;
}

function checkParameter(type: string, known: ReadonlySet<string>, key: string, value: string): void {
  const [name = '', modifier = ''] = key.split(':', 2);
  if (key.includes('.') && !key.startsWith('_has')) return;
  if (CONTROLS.has(name)) {
    if (name === '_summary' && value !== 'count') throw unable(`_summary=${value}`);
    if (name === '_sort') for (const part of value.split(',')) requireKnown(type, known, part.replace(/^-/, ''));
    return;
  }
  requireKnown(type, known, name);
  if (!MODIFIERS.has(modifier) && !EHR_TYPES.has(modifier)) throw unable(`The modifier :${modifier}`);
}

function requireKnown(type: string, known: ReadonlySet<string>, name: string): void {
  if (!known.has(name)) {
    throw new OperationOutcomeError(refused(`${type} has no search parameter "${name}" on this server.`));
  }
}

const unable = (what: string) => new OperationOutcomeError(unsupported(`${what} is not supported by this server.`));

/** The engine sorts by one key after another, so the most important one has to come last. */
const leastFirst = (sort: string) => sort.split(',').reverse().join(',');

function wholeNumber(pairs: readonly [string, string][], name: string): number | undefined {
  const text = pairs.find(([key]) => key === name)?.[1];
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new OperationOutcomeError(refused(`${name} must be a whole number, not "${text}".`));
  return Number(text);
}

// Whether a resource meets one condition of a search. https://hl7.org/fhir/R4/search.html
import { evalFhirPath, getSearchParameter } from '@medplum/core';
import { type DateRange, dateRange } from '../../../fhir/search/date-range.ts';
import { plainPath, type Read } from './element-path.ts';
import type { Version } from './records.ts';
import { Refusal } from './refusal.ts';

export interface Condition {
  readonly name: string;
  readonly modifier: string;
  /** Alternatives, unescaped only where the kind of parameter says so. */
  readonly values: readonly string[];
}

const MODIFIERS = new Set(['', 'not', 'missing', 'exact', 'contains']);

/** @throws Refusal parameter-value | parameter-unknown */
export function readCondition(type: string, key: string, value: string): Condition {
  const [name = '', modifier = ''] = key.split(':', 2);
  const kind = kindOf(type, name);
  if (!MODIFIERS.has(modifier) && !(kind === 'reference' && /^[A-Z]/.test(modifier))) {
    throw new Refusal('parameter-unknown', `The modifier :${modifier} is not supported.`);
  }
  const values = value.split(/(?<!\\),/);
  if (kind === 'date' && modifier !== 'missing') for (const each of values) boundOf(each);
  return { name, modifier, values };
}

/** @param base FHIR base of this server, taken off references */
export function meets(version: Version, { name, modifier, values }: Condition, base: string): boolean {
  if (name === '_id') return values.includes(version.id) !== (modifier === 'not');
  if (name === '_lastUpdated') {
    return values.some((value) => compare({ low: version.at, high: version.at + 1 }, boundOf(value)));
  }
  const facts = factsOf(version, name);
  if (modifier === 'missing') return (facts.length === 0) === (values[0] === 'true');
  const kind = kindOf(version.type, name);
  const one = (value: string) => facts.some((fact) => TESTS[kind]?.(fact, value, modifier, base) ?? false);
  return values.some(one) !== (modifier === 'not');
}

function factsOf(version: Version, name: string): readonly unknown[] {
  const known = version.facts.get(name);
  if (known) return known;
  const facts = version.resource ? readerOf(version.type, name)(version.resource) : [];
  version.facts.set(name, facts);
  return facts;
}

const readers = new Map<string, Read>();

function readerOf(type: string, name: string): Read {
  const known = readers.get(`${type}?${name}`);
  if (known) return known;
  const { expression = '{}' } = getSearchParameter(type, name) ?? {};
  const read = plainPath(expression, type) ?? ((resource) => evalFhirPath(expression, resource) as unknown[]);
  readers.set(`${type}?${name}`, read);
  return read;
}

/** References that the resource makes by a parameter, `Type/id`. */
export function referencesOf(version: Version, name: string): string[] {
  return factsOf(version, name).flatMap((fact) => (fact as { reference?: string }).reference ?? []);
}

function kindOf(type: string, name: string): string {
  if (name === '_id') return 'token';
  if (name === '_lastUpdated') return 'date';
  return getSearchParameter(type, name)?.type ?? 'token';
}

type Test = (fact: unknown, value: string, modifier: string, base: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  token: (fact, value) => {
    const bar = value.search(/(?<!\\)\|/);
    const plain = (text: string) => text.replace(/\\([\\|,$])/g, '$1');
    const system = bar < 0 ? undefined : plain(value.slice(0, bar));
    const code = plain(value.slice(bar + 1));
    return tokensOf(fact).some(
      (token) => (system === undefined || token.system === system) && (code === '' || token.code === code),
    );
  },
  reference: (fact, value, modifier, base) => {
    const found = typeof fact === 'string' ? fact : (fact as { reference?: string }).reference;
    if (found === undefined) return false;
    const wanted = value.startsWith(`${base}/`) ? value.slice(base.length + 1) : value;
    if (found === wanted) return true;
    return /^[A-Z]/.test(modifier) ? found === `${modifier}/${wanted}` : found.endsWith(`/${wanted}`);
  },
  string: (fact, value, modifier) => {
    const wanted = fold(value);
    return stringsOf(fact).some((text) =>
      modifier === 'exact'
        ? text === value
        : modifier === 'contains'
          ? fold(text).includes(wanted)
          : fold(text).startsWith(wanted),
    );
  },
  uri: (fact, value) => fact === value,
  date: (fact, value) => {
    const range = rangeOf(fact);
    return range !== undefined && compare(range, boundOf(value));
  },
};

function tokensOf(fact: unknown): { system: string; code: string }[] {
  if (typeof fact !== 'object' || fact === null) return [{ system: '', code: String(fact) }];
  const {
    coding,
    system = '',
    code,
    value,
  } = fact as {
    coding?: { system?: string; code?: string }[];
    system?: string;
    code?: string;
    value?: string;
  };
  if (coding) return coding.map((each) => ({ system: each.system ?? '', code: each.code ?? '' }));
  return [{ system, code: code ?? value ?? '' }];
}

/** Every text inside: of a name its parts, of an address its lines. */
function stringsOf(fact: unknown): string[] {
  if (typeof fact === 'string') return [fact];
  return typeof fact === 'object' && fact !== null ? Object.values(fact).flatMap(stringsOf) : [];
}

const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

function rangeOf(fact: unknown): DateRange | undefined {
  if (typeof fact === 'string') return dateRange(fact);
  const { start, end } = fact as { start?: string; end?: string };
  if (start === undefined && end === undefined) return undefined;
  const low = start === undefined ? Number.NEGATIVE_INFINITY : dateRange(start)?.low;
  const high = end === undefined ? Number.POSITIVE_INFINITY : dateRange(end)?.high;
  return low === undefined || high === undefined ? undefined : { low, high };
}

interface Bound extends DateRange {
  readonly prefix: string;
}

/** @throws Refusal parameter-value */
export function boundOf(value: string): Bound {
  const [, prefix = '', date = ''] = /^(eq|ne|lt|le|gt|ge|sa|eb)?(.*)$/s.exec(value) ?? [];
  const range = dateRange(date.replace(' ', '+'));
  if (!range) throw new Refusal('parameter-value', `"${date}" is not a date.`);
  return { prefix: prefix || 'eq', ...range };
}

function compare({ low, high }: DateRange, bound: Bound): boolean {
  switch (bound.prefix) {
    case 'ge':
      return high > bound.low;
    case 'gt':
      return high > bound.high;
    case 'le':
      return low < bound.high;
    case 'lt':
      return low < bound.low;
    case 'sa':
      return low >= bound.high;
    case 'eb':
      return high <= bound.low;
    case 'ne':
      return low < bound.low || high > bound.high;
    default:
      return low >= bound.low && high <= bound.high;
  }
}

// A search as a tree, and the URL that asks for it. https://hl7.org/fhir/R4/search.html
import { TEST_BASE_URL } from '../../support/store-rules.ts';
import type { Parameter } from './search-definitions.ts';

export interface Query {
  readonly type: string;
  readonly conditions: readonly Condition[];
  readonly sort: readonly SortKey[];
  readonly includes: readonly Include[];
  readonly count: number;
  readonly total: 'none' | 'accurate' | undefined;
}

export type Condition =
  | {
      readonly kind: 'match';
      readonly parameter: Parameter;
      readonly modifier?: string;
      readonly anyOf: readonly Value[];
    }
  | { readonly kind: 'missing'; readonly parameter: Parameter; readonly missing: boolean }
  | { readonly kind: 'chain'; readonly parameter: Parameter; readonly target?: string; readonly inner: Condition }
  | { readonly kind: 'has'; readonly type: string; readonly parameter: Parameter; readonly inner: Condition }
  | { readonly kind: 'id'; readonly negated: boolean; readonly ids: readonly string[] }
  | { readonly kind: 'updated'; readonly anyOf: readonly DateValue[] };

export type Prefix = '' | 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

export type Value =
  | { readonly kind: 'token'; readonly system?: string; readonly code?: string }
  | { readonly kind: 'of-type'; readonly system: string; readonly code: string; readonly value: string }
  | { readonly kind: 'string'; readonly text: string }
  | DateValue
  | { readonly kind: 'number'; readonly prefix: Prefix; readonly text: string }
  | QuantityValue
  | { readonly kind: 'uri'; readonly url: string }
  | ReferenceValue
  | { readonly kind: 'composite'; readonly parts: readonly Value[] };

export interface DateValue {
  readonly kind: 'date';
  readonly prefix: Prefix;
  readonly text: string;
}

export interface QuantityValue {
  readonly kind: 'quantity';
  readonly prefix: Prefix;
  readonly text: string;
  readonly system?: string;
  readonly code?: string;
}

/** `own` is an absolute URL of this server; `url` something elsewhere, or a canonical with or without version. */
export interface ReferenceValue {
  readonly kind: 'reference';
  readonly form: 'id' | 'typed' | 'own' | 'url';
  readonly type: string;
  readonly id: string;
  readonly url: string;
  /** Types that a bare id may be of; empty when any. */
  readonly targets: readonly string[];
}

export interface SortKey {
  /** `_id` and `_lastUpdated` have no parameter. */
  readonly code: string;
  readonly parameter?: Parameter;
  readonly descending: boolean;
}

export interface Include {
  readonly direction: '_include' | '_revinclude';
  readonly iterate: boolean;
  /** All three absent: `*`. */
  readonly source?: string;
  readonly code?: string;
  readonly target?: string;
}

export function queryUrl(query: Query): string {
  const pairs = query.conditions.map(conditionPair);
  if (query.sort.length > 0) {
    pairs.push(['_sort', query.sort.map(({ code, descending }) => `${descending ? '-' : ''}${code}`).join(',')]);
  }
  for (const { direction, iterate, source, code, target } of query.includes) {
    const value = [source ?? '*', code, target].filter((part) => part !== undefined).join(':');
    pairs.push([`${direction}${iterate ? ':iterate' : ''}`, value]);
  }
  pairs.push(['_count', String(query.count)]);
  if (query.total) pairs.push(['_total', query.total]);
  return `${query.type}?${new URLSearchParams(pairs)}`;
}

function conditionPair(condition: Condition): [string, string] {
  switch (condition.kind) {
    case 'match': {
      const { parameter, modifier, anyOf } = condition;
      return [`${parameter.code}${modifier ? `:${modifier}` : ''}`, anyOf.map(valueText).join(',')];
    }
    case 'missing':
      return [`${condition.parameter.code}:missing`, String(condition.missing)];
    case 'chain': {
      const [name, value] = conditionPair(condition.inner);
      return [`${condition.parameter.code}${condition.target ? `:${condition.target}` : ''}.${name}`, value];
    }
    case 'has': {
      const [name, value] = conditionPair(condition.inner);
      return [`_has:${condition.type}:${condition.parameter.code}:${name}`, value];
    }
    case 'id':
      return [`_id${condition.negated ? ':not' : ''}`, condition.ids.join(',')];
    case 'updated':
      return ['_lastUpdated', condition.anyOf.map(valueText).join(',')];
  }
}

const escaped = (text: string) => text.replace(/[\\,$|]/g, '\\$&');

function valueText(value: Value): string {
  switch (value.kind) {
    case 'token':
      return [value.system, value.code ?? '']
        .filter((part) => part !== undefined)
        .map(escaped)
        .join('|');
    case 'of-type':
      return [value.system, value.code, value.value].map(escaped).join('|');
    case 'string':
      return escaped(value.text);
    case 'date':
    case 'number':
      return `${value.prefix}${value.text}`;
    case 'quantity': {
      const unit = value.code === undefined ? '' : `|${escaped(value.system ?? '')}|${escaped(value.code)}`;
      return `${value.prefix}${value.text}${unit}`;
    }
    case 'uri':
      return escaped(value.url);
    case 'reference':
      return referenceText(value);
    case 'composite':
      return value.parts.map(valueText).join('$');
  }
}

function referenceText({ form, type, id, url }: ReferenceValue): string {
  if (form === 'id') return id;
  if (form === 'typed') return `${type}/${id}`;
  return form === 'own' ? `${TEST_BASE_URL}/${type}/${id}` : url;
}

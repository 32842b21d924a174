// Arbitrary queries over the types of a corpus, made from the definitions of the search parameters.
import fc, { type Arbitrary } from 'fast-check';
import { impliedSystem } from './implied-systems.ts';
import {
  CODES,
  DATES,
  ELSEWHERE,
  IDS,
  INSTANTS,
  NOBODY,
  NUMBER_TEXTS,
  QUERY_TIMES,
  STRINGS,
  SYSTEMS,
  URLS,
  VERSIONS,
} from './pools.ts';
import type { Condition, DateValue, Include, Prefix, Query, ReferenceValue, SortKey, Value } from './query.ts';
import { type Component, findParameter, type Kind, type Parameter, parametersOf } from './search-definitions.ts';
import { folded } from './texts.ts';

/** Chains and `_has` within each other. */
const MAX_DEPTH = 2;
const PREFIXES: readonly Prefix[] = ['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];
const oneOf = <T>(values: readonly T[]): Arbitrary<T> => fc.constantFrom(...values);

export interface QueryWorld {
  readonly types: readonly string[];
  /** Moments at which resources were written. */
  readonly updates: readonly string[];
  /** Parameters of the type that find something in the corpus: asked more often. */
  readonly filled: (type: string) => readonly Parameter[];
}

export function queryArbitrary(world: QueryWorld): Arbitrary<Query> {
  const byType = new Map(world.types.map((type) => [type, queryOf(type, world)]));
  return oneOf(world.types).chain((type) => byType.get(type) ?? queryOf(type, world));
}

function queryOf(type: string, world: QueryWorld): Arbitrary<Query> {
  const includes = includesOf(type, world);
  return fc.record({
    type: fc.constant(type),
    conditions: fc.array(conditionOf(type, world, 0), { maxLength: 3 }),
    sort: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: sortOf(type) }),
    includes: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: includes }),
    count: oneOf([1000, 1000, 1000, 50, 1, 2, 3, 5]),
    total: oneOf([undefined, 'accurate', 'none'] as const),
  });
}

// ---- conditions

function conditionOf(type: string, world: QueryWorld, depth: number): Arbitrary<Condition> {
  const parameters = parametersOf(type);
  const filled = world.filled(type);
  const parameter = fc.oneof(
    { weight: 1, arbitrary: oneOf(parameters) },
    { weight: 4, arbitrary: oneOf(filled.length > 0 ? filled : parameters) },
  );
  const simple: { weight: number; arbitrary: Arbitrary<Condition> }[] = [
    { weight: 12, arbitrary: parameter.chain((each) => matchOf(each)) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          parameter.filter(({ kind }) => kind !== 'composite'),
          fc.boolean(),
        )
        .map(([each, missing]) => ({ kind: 'missing', parameter: each, missing })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.boolean(), fc.array(oneOf([...IDS, NOBODY]), { minLength: 1, maxLength: 4 }))
        .map(([negated, ids]) => ({ kind: 'id', negated, ids })),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(dateValue(oneOf(world.updates)), { minLength: 1, maxLength: 2 })
        .map((anyOf) => ({ kind: 'updated', anyOf })),
    },
  ];
  if (depth >= MAX_DEPTH) return fc.oneof(...simple);
  const links = chainsOf(type, world);
  const referrers = referrersOf(type, world);
  const nested: { weight: number; arbitrary: Arbitrary<Condition> }[] = [];
  if (links.length > 0)
    nested.push({ weight: 3, arbitrary: oneOf(links).chain((link) => chainOf(link, world, depth)) });
  if (referrers.length > 0) {
    nested.push({
      weight: 3,
      arbitrary: oneOf(referrers).chain(({ type: source, parameter: reference }) =>
        conditionOf(source, world, depth + 1).map((inner) => ({
          kind: 'has',
          type: source,
          parameter: reference,
          inner,
        })),
      ),
    });
  }
  return fc.oneof(...simple, ...nested);
}

interface Link {
  readonly type: string;
  readonly parameter: Parameter;
}

function canLeadTo({ kind, targets }: Parameter, type: string): boolean {
  return kind === 'reference' && (targets.length === 0 || targets.includes(type));
}

/** Reference parameters with a type of the corpus that they may lead to. */
function chainsOf(type: string, { types }: QueryWorld): Link[] {
  return parametersOf(type).flatMap((parameter) =>
    types.filter((target) => canLeadTo(parameter, target)).map((target) => ({ type: target, parameter })),
  );
}

function referrersOf(type: string, { types }: QueryWorld): Link[] {
  return types.flatMap((source) =>
    parametersOf(source)
      .filter((parameter) => canLeadTo(parameter, type))
      .map((parameter) => ({ type: source, parameter })),
  );
}

function chainOf({ type, parameter }: Link, world: QueryWorld, depth: number): Arbitrary<Condition> {
  return fc.tuple(conditionOf(type, world, depth + 1), fc.boolean()).map(([inner, typed]) => {
    const isFree = !typed && meansTheSame(inner, parameter.targets);
    return { kind: 'chain', parameter, inner, ...(isFree ? {} : { target: type }) };
  });
}

/** Whether a chain may leave out the type: the name is of one kind in every type that has it. */
function meansTheSame(inner: Condition, targets: readonly string[]): boolean {
  if (inner.kind !== 'match' || targets.length === 0 || targets.length > 12 || inner.parameter.kind === 'reference')
    return false;
  const found = targets.map((target) => findParameter(target, inner.parameter.code));
  return found.every((each) => each === undefined || each.kind === inner.parameter.kind);
}

// ---- values

function matchOf(parameter: Parameter): Arbitrary<Condition> {
  const { kind } = parameter;
  return oneOf(modifiersOf(parameter)).chain((modifier) =>
    fc
      .array(askedOf(parameter, modifier), { minLength: 1, maxLength: 3 })
      .map((anyOf) => ({ kind: 'match', parameter, ...(modifier && kind !== 'composite' ? { modifier } : {}), anyOf })),
  );
}

function modifiersOf({ code, kind, targets }: Parameter): readonly (string | undefined)[] {
  switch (kind) {
    case 'token':
      return [undefined, undefined, 'not', 'text', ...(code === 'identifier' ? ['of-type'] : [])];
    case 'string':
      return [undefined, 'exact', 'contains'];
    case 'uri':
      return [undefined, 'above', 'below'];
    case 'reference':
      return [undefined, undefined, 'identifier', ...targets.slice(0, 3)];
    default:
      return [undefined];
  }
}

function askedOf(parameter: Parameter, modifier: string | undefined): Arbitrary<Value> {
  if (modifier === 'text') return plainValue('string', parameter.targets);
  if (modifier === 'identifier') return tokenValue;
  if (modifier === 'of-type') return ofTypeValue;
  if (parameter.kind === 'composite') {
    return fc
      .tuple(...parameter.components.map((component: Component) => plainValue(component.kind, component.targets)))
      .map((parts) => ({ kind: 'composite', parts }));
  }
  if (modifier === 'above' || modifier === 'below') return oneOf(URLS).map((url) => ({ kind: 'uri', url }));
  const branch = parameter.expression.split('|').find((each) => each.trim().startsWith(`${parameter.base}.`));
  const implied = parameter.kind === 'token' ? impliedSystem(branch?.trim() ?? '') : undefined;
  if (implied !== undefined) return tokenOf([...SYSTEMS, implied, implied]);
  const value = plainValue(parameter.kind, parameter.targets);
  if (parameter.kind !== 'reference' || modifier === undefined) return value;
  // A value that names another type contradicts the modifier and is refused.
  return value.map((each) => (each.kind === 'reference' ? { ...each, type: modifier } : each));
}

function plainValue(kind: Kind, targets: readonly string[]): Arbitrary<Value> {
  switch (kind) {
    case 'token':
      return tokenValue;
    case 'string':
      return stringValue;
    case 'date':
      return dateValue(oneOf([...DATES, ...INSTANTS, ...QUERY_TIMES]));
    case 'number':
      return fc.record({ kind: fc.constant('number' as const), prefix: oneOf(PREFIXES), text: oneOf(NUMBER_TEXTS) });
    case 'quantity':
      return quantityValue;
    case 'uri':
      return fc.oneof(oneOf(URLS), versionedUrl).map((url) => ({ kind: 'uri', url }));
    default:
      return referenceValue(targets);
  }
}

function tokenOf(systems: readonly string[]): Arbitrary<Value> {
  return fc
    .record({ form: oneOf(['code', 'both', 'bare', 'system']), system: oneOf(systems), code: oneOf(CODES) })
    .map(({ form, system, code }): Value => {
      if (form === 'code') return { kind: 'token', code };
      if (form === 'both') return { kind: 'token', system, code };
      return form === 'bare' ? { kind: 'token', system: '', code } : { kind: 'token', system };
    });
}

const tokenValue = tokenOf(SYSTEMS);

const ofTypeValue: Arbitrary<Value> = fc.record({
  kind: fc.constant('of-type' as const),
  system: oneOf(SYSTEMS),
  code: oneOf(CODES),
  value: oneOf(CODES),
});

/** A whole text of the pool, its beginning, its middle, or it in another case. */
const stringValue: Arbitrary<Value> = fc
  .record({ text: oneOf(STRINGS), cut: oneOf(['whole', 'begin', 'middle', 'upper', 'lower']), at: fc.nat(4) })
  .map(({ text, cut, at }): Value => {
    const letters = [...text];
    const part = { begin: letters.slice(0, at + 1), middle: letters.slice(at) }[cut]?.join('') ?? text;
    const cased = cut === 'upper' ? part.toUpperCase() : cut === 'lower' ? part.toLowerCase() : part;
    // Half of a letter, an accent alone, is no text to look for.
    return { kind: 'string', text: folded(cased).trim() === '' ? text : cased.trim() };
  });

function dateValue(text: Arbitrary<string>): Arbitrary<DateValue> {
  return fc.record({ kind: fc.constant('date' as const), prefix: oneOf(PREFIXES), text });
}

const quantityValue: Arbitrary<Value> = fc
  .record({
    prefix: oneOf(PREFIXES),
    text: oneOf(NUMBER_TEXTS),
    system: oneOf(['urn:units', 'urn:s', 'urn:iso:std:iso:4217', undefined]),
    code: oneOf([undefined, 'mg', 'g', 'a,b', 'EUR']),
  })
  .map(({ prefix, text, system, code }) => ({
    kind: 'quantity',
    prefix,
    text,
    ...(code === undefined ? {} : { code, ...(system === undefined ? {} : { system }) }),
  }));

const versionedUrl = fc.tuple(oneOf(URLS), oneOf(VERSIONS)).map(([url, version]) => `${url}|${version}`);

function referenceValue(targets: readonly string[]): Arbitrary<ReferenceValue> {
  const type = oneOf(targets.length > 0 ? targets : ['Patient', 'Observation', 'Task']);
  return fc
    .record({
      kind: fc.constant('reference' as const),
      form: oneOf(['id', 'typed', 'own', 'url'] as const),
      type,
      id: oneOf([...IDS, NOBODY]),
      other: fc.oneof(oneOf(URLS), versionedUrl, fc.constant('')),
    })
    .map(({ kind, form, type: to, id, other }) => ({
      kind,
      form,
      type: to,
      id,
      url: other || `${ELSEWHERE}/${to}/${id}`,
      targets,
    }));
}

// ---- results

function sortOf(type: string): Arbitrary<SortKey[]> {
  const parameters = parametersOf(type).filter(({ kind }) => kind !== 'composite');
  const key = fc.oneof(
    { weight: 1, arbitrary: oneOf(['_id', '_lastUpdated']).map((code) => ({ code })) },
    { weight: 4, arbitrary: oneOf(parameters).map((parameter) => ({ code: parameter.code, parameter })) },
  );
  const directed = fc.tuple(key, fc.boolean()).map(([each, descending]): SortKey => ({ ...each, descending }));
  return fc.uniqueArray(directed, { minLength: 1, maxLength: 3, selector: ({ code }) => code });
}

function includesOf(type: string, world: QueryWorld): Arbitrary<Include[]> {
  const all = world.types.flatMap((source) =>
    parametersOf(source)
      .filter(({ kind }) => kind === 'reference')
      .map((parameter) => ({ source, parameter })),
  );
  const forward = all.filter(({ source }) => source === type);
  const backward = all.filter(({ parameter }) => canLeadTo(parameter, type));
  const anyLink = oneOf(all);
  const link = fc.oneof(
    forward.length > 0
      ? oneOf(forward).map((each) => ({ direction: '_include' as const, ...each }))
      : anyLink.map(asInclude),
    backward.length > 0
      ? oneOf(backward).map((each) => ({ direction: '_revinclude' as const, ...each }))
      : anyLink.map(asInclude),
    anyLink.map(asInclude),
  );
  const include = fc
    .record({
      link,
      iterate: fc.boolean(),
      wild: oneOf([false, false, false, true]),
      target: oneOf([undefined, ...world.types]),
    })
    .map(({ link: { direction, source, parameter }, iterate, wild, target }): Include => {
      if (wild) return { direction, iterate };
      // Without :iterate an include can only begin at the matches.
      const begins = direction === '_include' ? source === type : canLeadTo(parameter, type);
      // What refers to the matches refers to their type; only :iterate may name another.
      const mayName = direction === '_include' || iterate || !begins || target === type;
      const fits = target !== undefined && mayName && canLeadTo(parameter, target);
      return { direction, iterate: iterate || !begins, source, code: parameter.code, ...(fits ? { target } : {}) };
    });
  return fc.array(include, { minLength: 1, maxLength: 3 });
}

function asInclude(link: { readonly source: string; readonly parameter: Parameter }) {
  return { direction: '_include' as const, ...link };
}

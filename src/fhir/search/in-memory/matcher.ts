// Whether a version of a resource, current or not, fulfils a search, as far as it tells so by itself: what other resources
// say is the store's to ask.
import type { Resource } from '@medplum/fhirtypes';
import { createExtraction } from '../extract.ts';
import type { IndexRow, IndexRows } from '../index-rows.ts';
import type { SearchParameters } from '../parameters.ts';
import type { CompositeCondition, Condition, ParameterKey, ValueMatch } from '../query.ts';
import { matchesDate, matchesRow } from './match-row.ts';

export interface Matcher {
  /** @throws Error for a condition that `looksElsewhere` names */
  matches(resource: Resource, conditions: readonly Condition[]): boolean;
}

/** Kinds of conditions that only the store can answer, because they hang on other resources or on its full text. */
const ELSEWHERE: ReadonlySet<Condition['kind']> = new Set([
  ...(['chain', 'has', 'members', 'words', 'near', 'hierarchy', 'withheld'] as const),
]);

export function looksElsewhere(condition: Condition): boolean {
  if (condition.kind === 'not') return looksElsewhere(condition.of);
  if (condition.kind === 'any' || condition.kind === 'all') return condition.of.some(looksElsewhere);
  return ELSEWHERE.has(condition.kind);
}

/** @param baseUrl this server's FHIR base without a trailing slash */
export function createMatcher(parameters: SearchParameters, baseUrl: string): Matcher {
  const ids = new Map<string, number>();
  const idOf = ({ type, code }: ParameterKey) => {
    const name = `${type}.${code}`;
    const id = ids.get(name) ?? ids.size + 1;
    ids.set(name, id);
    return id;
  };
  const extract = createExtraction({ parameters, baseUrl, idOf });
  // One version is asked about by many.
  const known = new WeakMap<Resource, IndexRows>();
  const rowsOf = (resource: Resource) => {
    const rows = known.get(resource) ?? extract(resource);
    known.set(resource, rows);
    return rows;
  };
  const fulfils = (resource: Resource, condition: Condition): boolean => {
    const rowsAt = (key: ParameterKey, kind: ValueMatch['kind']) =>
      rowsOf(resource)[kind].filter(([parameter]) => parameter === idOf(key));
    switch (condition.kind) {
      case 'match': {
        const { parameter, anyOf, negated } = condition;
        const found = anyOf.some((match) => rowsAt(parameter, match.kind).some((row) => matchesRow(match, row)));
        return found !== negated;
      }
      case 'composite':
        return matchesParts(condition, rowsAt);
      case 'missing': {
        const kinds: ValueMatch['kind'][] =
          condition.values === 'token' || condition.values === 'reference'
            ? [condition.values]
            : [condition.values, 'token'];
        return kinds.some((kind) => rowsAt(condition.parameter, kind).length > 0) !== condition.missing;
      }
      case 'id':
        return condition.ids.includes(resource.id ?? '') !== condition.negated;
      case 'type':
        return condition.types.includes(resource.resourceType);
      case 'updated': {
        const at = Temporal.Instant.from(resource.meta?.lastUpdated ?? '').epochMilliseconds;
        return condition.anyOf.some((match) => matchesDate(match, at, at + 1));
      }
      case 'compartment': {
        const { id, parameters: own, self } = condition;
        const leads = own.some((key) =>
          rowsAt(key, 'reference').some(([, , type, to]) => type === 'Patient' && to === id),
        );
        return leads || (self && resource.resourceType === 'Patient' && resource.id === id);
      }
      case 'not':
        return !fulfils(resource, condition.of);
      case 'any':
        return condition.of.some((one) => fulfils(resource, one));
      case 'all':
        return condition.of.every((one) => fulfils(resource, one));
      default:
        throw new Error(`A condition of kind ${condition.kind} is the store's to answer.`);
    }
  };
  return { matches: (resource, conditions) => conditions.every((condition) => fulfils(resource, condition)) };
}

/** Within one repetition, every component. */
function matchesParts(
  { components, anyOf }: CompositeCondition,
  rowsAt: (key: ParameterKey, kind: ValueMatch['kind']) => readonly IndexRow[],
): boolean {
  return anyOf.some((matches) => {
    const parts = matches.map((match, at) => {
      const key = components[at];
      const rows = key ? rowsAt(key, match.kind).filter((row) => matchesRow(match, row)) : [];
      return new Set(rows.map(([, part]) => part));
    });
    const [first, ...others] = parts;
    return first !== undefined && [...first].some((part) => others.every((other) => other.has(part)));
  });
}

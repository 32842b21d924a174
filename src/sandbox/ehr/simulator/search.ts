// A search: the vendor's rules about its parameters first, then the matches.
import type { Notice } from '../vendors/vendor-rules.ts';
import type { Ehr } from './ehr.ts';
import { boundOf, meets, readCondition } from './match.ts';
import type { Search } from './page-sessions.ts';
import type { Version } from './records.ts';
import { Refusal } from './refusal.ts';

/** Not about which resources; every server takes or ignores them. */
const CONTROLS = new Set([
  '_count',
  '_format',
  '_include',
  '_revinclude',
  '_summary',
  '_elements',
  '_total',
  '_pretty',
]);

/** @throws Refusal */
export function readSearch(ehr: Ehr, type: string, pairs: readonly (readonly [string, string])[]): Search {
  const { rules, abilities } = ehr;
  const offered = abilities.parametersOf(type);
  const notices: Notice[] = [];
  const asked: (readonly [string, string])[] = [];
  let newestFirst = false;
  for (const [key, value] of pairs) {
    const name = key.split(':', 1)[0] ?? '';
    if (CONTROLS.has(name)) continue;
    if (name === '_sort' && rules.types[type]?.search === '*') newestFirst = readSort(value);
    else if (offered.has(name)) asked.push([key, value]);
    else if (rules.unknownParameters === 'refused')
      throw new Refusal('parameter-unknown', `${type} has no search parameter "${name}".`);
    else if (!notices.includes('parameter-ignored')) notices.push('parameter-ignored');
  }
  checkRules(ehr, type, asked);
  const conditions = asked.map(([key, value]) => readCondition(type, key, value));
  const size = Number(pairs.find(([key]) => key === '_count')?.[1] ?? rules.paging.page);
  if (!Number.isInteger(size) || size < 0) throw new Refusal('parameter-value', '_count must be a whole number.');
  // Nobody gets a page of one resource by asking for zero, except where the spec says so.
  const alone = asked.length === 1 && asked[0]?.[0] === '_id' && rules.paging.loose;
  return {
    type,
    conditions,
    count: alone ? rules.paging.most : Math.min(size || rules.paging.page, rules.paging.most),
    newestFirst,
    include: pairs.flatMap(([key, value]) =>
      key === '_include' && rules.types[type]?.search === '*' ? (value.split(':')[1] ?? []) : [],
    ),
    countOnly: pairs.some(([key, value]) => key === '_summary' && value === 'count'),
    notices,
    query: new URLSearchParams(pairs.map(([key, value]) => [key, value])).toString(),
  };
}

function readSort(value: string): boolean {
  if (!/^-?(_lastUpdated|_id)$/.test(value)) {
    throw new Refusal('parameter-value', `This server sorts by _lastUpdated, not by "${value}".`);
  }
  return value.startsWith('-');
}

/** What the vendor's table asks of the parameters together. @throws Refusal */
function checkRules({ rules }: Ehr, type: string, asked: readonly (readonly [string, string])[]): void {
  const row = rules.types[type];
  const names = new Set(asked.map(([key]) => key.split(':', 1)[0] ?? ''));
  if (names.size === 0 && row?.search !== '*') {
    throw new Refusal('no-parameters', 'The search has no parameter that this server supports.');
  }
  const alone = row?.alone?.find((name) => names.has(name));
  if (alone !== undefined && names.size > 1) {
    throw new Refusal('parameter-combination', `${alone} cannot be combined with other parameters.`);
  }
  const { needs } = row ?? {};
  if (needs && !needs.some((all) => all.every((name) => names.has(name)))) {
    const nearest = needs.toSorted((left, right) => missing(left, names) - missing(right, names))[0] ?? [];
    const lacking = nearest.filter((name) => !names.has(name));
    throw new Refusal('parameter-missing', `A search of ${type} needs ${lacking.join(' and ')}.`);
  }
  for (const [name, others] of Object.entries(row?.beside ?? {})) {
    if (names.has(name) && !others.some((other) => names.has(other))) {
      throw new Refusal('parameter-missing', `${name} needs ${others.join(' or ')} beside it.`);
    }
  }
  for (const [key, value] of asked) {
    const allowed = row?.values?.[key];
    const codes = value.split(',').map((each) => each.slice(each.indexOf('|') + 1));
    const wrong = allowed && codes.find((code) => !allowed.includes(code));
    if (wrong !== undefined) throw new Refusal('parameter-value', `${key} takes ${allowed?.join(', ')} only.`);
  }
  for (const name of row?.pairs ?? []) {
    if (names.has(name))
      checkPair(
        name,
        asked.filter(([key]) => key === name).map(([, value]) => value),
      );
  }
}

const missing = (all: readonly string[], names: ReadonlySet<string>) => all.filter((name) => !names.has(name)).length;

function checkPair(name: string, values: readonly string[]): void {
  const [low, high, ...others] = values.toSorted();
  if (others.length === 0 && low?.startsWith('g') && high?.startsWith('l')) return;
  throw new Refusal('parameter-value', `${name} must be given twice, with ge and with le.`);
}

/** The matches as they are now, in the order they are paged. */
export function matchesOf(ehr: Ehr, search: Search): Version[] {
  const { conditions, type } = search;
  const base = ehr.base();
  const finds = Object.entries(ehr.rules.types[type]?.finds ?? {});
  const found = candidates(ehr, search).filter(
    (version) =>
      conditions.every((condition) => meets(version, condition, base)) &&
      finds.every(([element, values]) => values.includes(String(Reflect.get(version.resource ?? {}, element)))),
  );
  return search.newestFirst ? found.reverse() : found;
}

/** The smallest set that is quickly at hand and leaves nothing out. */
function candidates({ records }: Ehr, { type, conditions }: Search): Version[] {
  const values = (name: string) => conditions.find((each) => each.name === name && each.modifier === '')?.values;
  const ids = values('_id');
  if (ids) return ids.flatMap((id) => records.shown(type, id) ?? []);
  const identifiers = values('identifier');
  if (identifiers?.length === 1 && !/\\|\|$/.test(identifiers[0] ?? '')) {
    const [value = ''] = identifiers;
    const bar = value.indexOf('|');
    return records.ofIdentifier(type, bar < 0 ? value : value.slice(bar + 1));
  }
  const patients = values('patient') ?? values('subject');
  if (patients && type !== 'Patient' && patients.every((each) => !each.includes('/') || each.includes('Patient/'))) {
    const [only, ...others] = patients.map((each) => each.slice(each.lastIndexOf('/') + 1));
    if (only !== undefined && others.length === 0) return records.ofPatient(type, only);
  }
  const since = conditions.find(({ name, values: each }) => name === '_lastUpdated' && /^g[et]/.test(each[0] ?? ''));
  return records.all(type, since ? boundOf(since.values[0] ?? '').low : undefined);
}

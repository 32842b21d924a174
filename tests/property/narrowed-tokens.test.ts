// What a narrowed token is answered is what a world without the rest would answer: nothing can be told about what it does
// not reach by content, totals, includes, chains, order, pages, status or words. And what it writes changes nothing else.
// More of it: BATON_NARROWED_WORLDS=500 BATON_NARROWED_SEED=7 npx vitest run --project all tests/property/narrowed-tokens.test.ts
import type { Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grantArbitrary, type PlainGrant, patientsOfUser, reached, scopeText, vouching } from './narrowed/grants.ts';
import { type Asked, differing, openWorld, type Told, type World } from './narrowed/pair.ts';
import { populationArbitrary, STAFF, TYPES, type Write } from './narrowed/people.ts';
import { changeArbitrary, questionArbitrary } from './narrowed/requests.ts';
import type { Population } from './oracle/population.ts';
import type { QueryWorld } from './oracle/queries.ts';
import { findParameter, parametersOf } from './oracle/search-definitions.ts';

const WORLDS = Number(process.env.BATON_NARROWED_WORLDS ?? 1);
const FIRST = Number(process.env.BATON_NARROWED_SEED ?? 1);
const GRANTS = 6;
const QUESTIONS = 50;
const CHANGES = 15;
const SIZE = 4;

const seeds = Array.from({ length: WORLDS }, (_, at) => FIRST + at);
const isSame = (a: Told, b: Told) => a.status === b.status && a.headers === b.headers && a.text === b.text;

/** A refusal may be one of the documented ones, and tells nothing as long as it does not depend on what is hidden. */
const isFulfilled = (asked: Asked) => (narrowed: Told, whole: Told) => {
  if (narrowed.status === 403 || narrowed.text.includes('"status":"403 Forbidden"')) return true;
  // What was deleted is told to who reaches the whole type; whose record is meant hangs on the token.
  if (narrowed.status >= 400 && whole.status >= 400) return true;
  return asked.fallsShort !== undefined || isSame(narrowed, whole);
};

const sample = <T>(arbitrary: fc.Arbitrary<T>, seed: number, numRuns: number) =>
  fc.sample(arbitrary, { seed, numRuns });

function peopleOf(seed: number): Write[] {
  const [writes] = sample(populationArbitrary(SIZE), seed, 1);
  if (!writes) throw new Error('fast-check gave no population.');
  return writes;
}

function queryWorld(population: Population): QueryWorld {
  const filled = new Map(
    TYPES.map((type) => {
      const some = population.resources.filter(({ resourceType }) => resourceType === type);
      const has = (code: string) => {
        const parameter = findParameter(type, code);
        return parameter && some.some((one) => population.values(one, parameter).length > 0);
      };
      return [type, parametersOf(type).filter(({ code, kind }) => kind === 'composite' || has(code))];
    }),
  );
  return {
    types: TYPES,
    updates: population.resources.map((one) => population.updatedOf(one)),
    filled: (type) => filled.get(type) ?? [],
  };
}

/** Who reaches a whole type reaches also what was deleted of it. */
const among =
  (keys: ReadonlySet<string>, { scopes, user }: PlainGrant) =>
  ({ type, id }: Write) =>
    keys.has(`${type}/${id}`) ||
    (user === undefined &&
      scopes.some((scope) => scope.level === 'system' && !scope.constraint && ['*', type].includes(scope.type)));
const named = (grant: PlainGrant) => `${scopeText(grant)} patient=${grant.patient} user=${grant.user}`;

const told = (seed: number, grant: PlainGrant, asked: readonly Asked[], found: { one: Told; other: Told }) =>
  [
    `seed ${seed}: ${named(grant)}`,
    ...asked.map(({ method, path, headers, body }) =>
      [
        method,
        decodeURIComponent(path),
        JSON.stringify(headers ?? {}),
        typeof body === 'string' ? body : JSON.stringify(body),
      ].join(' '),
    ),
    `all there:  ${JSON.stringify(found.one)}`,
    `less there: ${JSON.stringify(found.other)}`,
  ].join('\n');

/** Worlds with less: only what the grant reaches, and the same with what says whom it is about. */
async function smaller(writes: readonly Write[], population: Population, grant: PlainGrant): Promise<[World, World]> {
  const keys = reached(population, grant);
  const strict = await openWorld(writes, among(keys, grant));
  if (grant.user === undefined && grant.patient === undefined) return [strict, strict];
  const vouched = new Set([...keys, ...vouching(population, grant)]);
  return [strict, await openWorld(writes, among(vouched, grant))];
}

describe.each(seeds)('seed %i', { timeout: 120_000 }, (seed) => {
  const writes = peopleOf(seed);
  const grantsOf = (letters: string) => sample(grantArbitrary(letters), seed, GRANTS);

  test('answers as if the rest were not there', async () => {
    const all = await openWorld(writes, () => true);
    const population = await all.population();
    const questions = questionArbitrary(queryWorld(population));
    for (const grant of grantsOf('rs')) {
      const [strict, vouched] = await smaller(writes, population, grant);
      const [token, same] = [await all.tokenFor(grant), await vouched.tokenFor(grant)];
      const difference = async (asked: Asked) =>
        (await differing(asked, [all, token], [vouched, same], isSame)) ??
        (await differing(asked, [all, token], [strict, strict.everything], isFulfilled(asked)));
      const property = fc.asyncProperty(questions, async (asked) => (await difference(asked)) === undefined);
      const { counterexample } = await fc.check(property, { seed, numRuns: QUESTIONS });
      const [asked] = counterexample ?? [];
      const found = asked && (await difference(asked));
      expect(found && told(seed, grant, [asked], found)).toBeUndefined();
      for (const world of new Set([strict, vouched])) await world.close();
    }
    await all.close();
  });

  test('changes nothing else, tells nothing by it and opens nothing', async () => {
    for (const grant of grantsOf('cruds')) {
      const all = await openWorld(writes, () => true);
      const before = await all.population();
      const [strict, vouched] = await smaller(writes, before, grant);
      if (strict !== vouched) await strict.close();
      const keys = reached(before, grant);
      const outside = await all.rowsOutside(keys);
      const [token, same] = [await all.tokenFor(grant), await vouched.tokenFor(grant)];
      const done: Asked[] = [];
      for (const asked of sample(changeArbitrary, seed, CHANGES)) {
        done.push(asked);
        const found = await differing(asked, [all, token], [vouched, same], isSame);
        expect(found && told(seed, grant, done, found)).toBeUndefined();
      }
      const rows = await all.rowsOutside(keys);
      expect([named(grant), outside.filter((row) => !rows.includes(row))]).toEqual([named(grant), []]);
      const after = await all.population();
      expect([named(grant), opened(before, after, grant)]).toEqual([named(grant), []]);
      await Promise.all([all.close(), vouched.close()]);
    }
  });
});

/** Patients whom the user knows after the writes and not before, but those made for the own organization. */
function opened(before: Population, after: Population, { user }: PlainGrant): string[] {
  if (user === undefined) return [];
  const known = patientsOfUser(before, user);
  const home = STAFF.find(({ id }) => user === `Practitioner/${id}`)?.organization;
  return [...patientsOfUser(after, user)].filter((id) => {
    if (known.has(id)) return false;
    const made = before.get('Patient', id) ? undefined : (after.get('Patient', id) as Patient | undefined);
    return !made?.managingOrganization?.reference?.includes(`Organization/${home}`);
  });
}

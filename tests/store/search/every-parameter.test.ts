// Everything that the CapabilityStatement offers can be asked: each parameter with a value, :missing, as sort key and,
// when it is a reference, as include, reverse include and chain.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ParameterDefinition } from '../../../src/fhir/search/parameters.ts';
import { testParameters } from '../../support/store-rules.ts';
import { openSearchWorld, type SearchWorld } from './search-world.ts';

let world: SearchWorld;
beforeAll(async () => {
  world = await openSearchWorld();
});
afterAll(() => world.cleanup());

const VALUES: Readonly<Record<string, string>> = {
  token: 'urn:s|c',
  reference: 'Patient/1',
  date: 'ge2026-01-01',
  string: 'a',
  number: 'lt5',
  quantity: '5.4|urn:u|mg',
  uri: 'urn:x',
};

function queriesFor(type: string, definition: ParameterDefinition): string[] {
  const { code, kind, components, targets } = definition;
  const value = components.length > 0 ? components.map((part) => VALUES[part.kind]).join('$') : VALUES[kind];
  const queries = [`${type}?${code}=${value}`, `${type}?${code}:missing=true`];
  if (kind !== 'composite') queries.push(`${type}?_sort=-${code}`);
  if (kind === 'reference') {
    queries.push(`${type}?_include=${type}:${code}`, `${targets[0] ?? 'Patient'}?_revinclude=${type}:${code}`);
    queries.push(`${type}?${code}._id=1&_sort=_lastUpdated`);
  }
  return queries;
}

test.each(testParameters.types)('%s', async (type) => {
  await world.put({ resourceType: type, id: 'only' } as Parameters<SearchWorld['put']>[0]);
  for (const definition of testParameters.forType(type)) {
    for (const query of queriesFor(type, definition)) {
      const { items } = await world.search(query);
      const mayHaveMore = query.includes(':missing') || query.includes('?_') || query.includes(':not');
      expect(items.length, query).toBeLessThanOrEqual(mayHaveMore ? 1 : Number(query.includes('_id=')));
    }
  }
});

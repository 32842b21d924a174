// Loads a population through Baton's own door: transactions of five hundred resources from a few clients at a time.
import { setTimeout } from 'node:timers/promises';
import type { Baton } from './baton.ts';
import { type Population, portions } from './population/population.ts';
import type { Resource } from './population/resource.ts';

const ENTRIES = 500;
const CLIENTS = 3;

/** @throws Error when Baton refuses any of it */
export async function loadPopulation(
  baton: Baton,
  population: Population,
  onProgress: (loaded: number) => void,
): Promise<void> {
  const waiting = portions(population, ENTRIES);
  let loaded = 0;
  const send = async (portion: readonly Resource[]) => {
    await sendPortion(baton, portion);
    loaded += portion.length;
    onProgress(loaded);
  };
  // The first portions are the case managers that all others refer to.
  for (let managers = population.managers; managers > 0; managers -= ENTRIES) await send(waiting.next().value ?? []);
  const client = async () => {
    for (const portion of { [Symbol.iterator]: () => ({ next: () => waiting.next() }) }) await send(portion);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

async function sendPortion({ url, token }: Baton, resources: readonly Resource[]): Promise<void> {
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const answer = await fetch(`${url}/fhir/R4`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json', prefer: 'return=minimal' },
    body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Loading failed: ${answer.status} ${text.slice(0, 1_000)}`);
}

/** Waits until every version has its Provenance: what Baton still has to do must not be measured with what it is asked. */
export async function awaitProvenance({ url, token }: Baton): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  for (let before = -1, now = 0; now !== before; ) {
    before = now;
    await setTimeout(1_500);
    const answer = await fetch(`${url}/fhir/R4/Provenance?_summary=count`, { headers });
    now = ((await answer.json()) as { total?: number }).total ?? 0;
  }
}

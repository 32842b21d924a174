// Loads cases by the hundred thousand: straight into the store, in large commits and without validation, because through
// Baton's door the first of them would be history before the last is there. What reads the log takes them as read.
import { join } from 'node:path';
import { pino } from 'pino';
import { loadPanels } from '../../src/care/panels/panels.ts';
import { loadProfiles, ofType } from '../../src/care/profiles.ts';
import { systemClock } from '../../src/clock.ts';
import type { Change } from '../../src/fhir/change.ts';
import { loadSearchParameters } from '../../src/fhir/search/parameters.ts';
import { openStore } from '../../src/store/open.ts';
import { createSearchEngine } from '../../src/store/search/search-engine.ts';
import type { Actor, Statement } from '../../src/store/store.ts';
import { ROOT } from './child.ts';
import type { BenchDatabase } from './database.ts';
import type { Resource } from './population/resource.ts';
import { uuidOf } from './population/seeded.ts';
import { caseOf } from './workloads/cases.ts';

const PROFILES = join(ROOT, 'profiles');
const ACTOR: Actor = { reference: 'bench', kind: 'client' };
/** Cases in one commit. */
const PORTION = 200;
/** Cases of one manager, and tasks of one case. */
const CASELOAD = 150;
const TASKS = 2;
/** Readers of the log that would else have all of it before them when the measurement begins. */
const READERS = ['provenance', 'transitions', 'registry'];

/** @param count of cases, each of five resources: patient, episode, plan and two tasks, for managers with 150 each */
export async function loadCases(
  { url }: BenchDatabase,
  count: number,
  onProgress: (cases: number) => void,
): Promise<void> {
  const clock = systemClock();
  const parameters = loadSearchParameters(ofType(loadProfiles(PROFILES), 'SearchParameter'));
  const searchEngine = createSearchEngine({ parameters, baseUrl: 'http://127.0.0.1/fhir/R4', clock });
  const store = await openStore({ url, searchEngine, validate: () => [], clock, log: pino({ level: 'silent' }) });
  try {
    for (let from = 0; from < count; from += PORTION) {
      const changes = Array.from({ length: Math.min(PORTION, count - from) }, (_, at) => put(from + at)).flat();
      await store.commit(ACTOR, changes, [], { transaction: false });
      onProgress(from + PORTION);
    }
    await store.commit(ACTOR, [], [...READERS.map((name) => readTo(name)), sweptToday(clock.now())]);
  } finally {
    await store.close();
  }
}

function put(n: number): Change[] {
  const reference = `Practitioner/${uuidOf(`manager of cases ${Math.floor(n / CASELOAD)}`)}`;
  const manager: Resource = { resourceType: 'Practitioner', id: reference.slice(13), name: [{ family: 'Cases' }] };
  const resources = caseOf(`other ${n}`, { manager: { reference }, tasks: TASKS });
  const all = n % CASELOAD === 0 ? [manager, ...resources] : resources;
  return all.map((resource) => ({ op: 'update', resource: resource as Extract<Change, { op: 'update' }>['resource'] }));
}

const readTo = (name: string): Statement => ({
  sql: `INSERT INTO cursor (name, sequence) SELECT ?, MAX(sequence) FROM version WHERE true
    ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence`,
  params: [name],
});

/** Panels look at every patient once a day. */
const sweptToday = (now: Temporal.Instant): Statement => ({
  sql: `INSERT INTO registry_sweep (name, rules, day, position, done) VALUES ('patients', ?, ?, '', 1)
    ON CONFLICT (name) DO NOTHING`,
  params: [loadPanels(PROFILES).fingerprint, now.toString().slice(0, 10)],
});

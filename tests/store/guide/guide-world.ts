// Stores that install guides: several processes' worth of them on one database file.
import type { Resource } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { loadProfiles } from '../../../src/care/profiles.ts';
import type { Clock } from '../../../src/clock.ts';
import { type Conformance, createConformance } from '../../../src/fhir/conformance.ts';
import { readPackage } from '../../../src/fhir/package/read-package.ts';
import { parseSearchUrl } from '../../../src/fhir/search/parse.ts';
import { NO_PROFILE_RULES, type ProfileRules } from '../../../src/fhir/validation/profile-rules.ts';
import { type Installation, installGuide, removeGuide } from '../../../src/store/install-guide.ts';
import { type OpenStore, openStore } from '../../../src/store/open.ts';
import { createSearchEngine } from '../../../src/store/search/search-engine.ts';
import { type PackageParts, packGuide } from '../../support/guide-package.ts';
import { NURSE } from '../../support/store-fixtures.ts';
import { TEST_BASE_URL } from '../../support/store-rules.ts';
import { openTempStore, type TempStore } from '../../support/temp-store.ts';

const BROUGHT = loadProfiles(new URL('../../../profiles', import.meta.url).pathname);

/** One process that knows guides. */
export interface Baton {
  readonly store: OpenStore;
  readonly conformance: Conformance;
  add(parts: PackageParts): Promise<Installation>;
  remove(name: string, version: string): Promise<void>;
  put(...resources: Resource[]): Promise<void>;
  /** Ids of the matches, sorted. */
  found(url: string): Promise<string[]>;
}

export interface GuideWorld extends Baton {
  readonly temp: TempStore;
  /** URL of the database. */
  readonly url: string;
  /** Opens the database as another process does. It is closed with the world. */
  another(brought?: readonly Resource[]): Promise<Baton>;
  /** Closes the store and opens it as after a restart. */
  restart(): Promise<Baton>;
  cleanup(): Promise<void>;
}

/** On the engine that the environment names. */
export async function openGuideWorld(rules: ProfileRules = NO_PROFILE_RULES): Promise<GuideWorld> {
  const conformance = createConformance(BROUGHT, rules);
  const temp = await openTempStore({ ...storeRules(conformance), referentialIntegrity: 'off' });
  const { url } = temp;
  const others: OpenStore[] = [];
  const another = async (brought = BROUGHT) => {
    const baton = await openBaton(url, temp.clock, brought, rules);
    others.push(baton.store);
    return baton;
  };
  return {
    ...batonOf(temp.store, conformance, temp.clock),
    temp,
    url,
    another,
    async restart() {
      await temp.store.close();
      return another();
    },
    async cleanup() {
      for (const store of others) await store.close();
      await temp.cleanup();
    },
  };
}

/** One process on a database that is there. */
export async function openBaton(
  url: string,
  clock: Clock,
  brought: readonly Resource[] = BROUGHT,
  rules: ProfileRules = NO_PROFILE_RULES,
): Promise<Baton> {
  const conformance = createConformance(brought, rules);
  const store = await openStore({ url, clock, log: pino({ level: 'silent' }), ...storeRules(conformance) });
  return batonOf(store, conformance, clock);
}

function storeRules(conformance: Conformance) {
  return {
    searchEngine: createSearchEngine({ parameters: conformance.parameters, baseUrl: TEST_BASE_URL }),
    validate: conformance.validate,
    prepareRules: conformance.prepare,
  };
}

function batonOf(store: OpenStore, conformance: Conformance, clock: Clock): Baton {
  const keeping = { store, conformance, clock, actor: NURSE };
  return {
    store,
    conformance,
    add: (parts) => installGuide(keeping, readPackage(packGuide(parts))),
    remove: (name, version) => removeGuide(keeping, name, version),
    async put(...resources) {
      await store.commit(
        NURSE,
        resources.map((resource) => ({ op: 'update', resource })),
      );
    },
    async found(url) {
      const query = parseSearchUrl(conformance.parameters, url, { handling: 'strict', baseUrl: TEST_BASE_URL });
      return (await store.search(query)).items.map(({ id }) => id).sort();
    },
  };
}

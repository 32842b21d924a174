// What a store is checked against and indexed by in tests: the real validator, search engine and status
// machines, made once.
import { loadProfiles, ofType } from '../../src/care/profiles.ts';
import { revisionRules } from '../../src/care/revision-rules.ts';
import { systemClock } from '../../src/clock.ts';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { loadSearchParameters } from '../../src/fhir/search/parameters.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import type { CommitRules } from '../../src/store/group.ts';
import { createSearchEngine } from '../../src/store/search/search-engine.ts';

export const TEST_BASE_URL = 'http://127.0.0.1:8080/fhir/R4';

export const testProfiles = loadProfiles(new URL('../../profiles', import.meta.url).pathname);
export const testParameters = loadSearchParameters(ofType(testProfiles, 'SearchParameter'));
export const testDefinitions = loadDefinitions(testProfiles);
/** A type is compiled once for all files of a process: that is most of what checking a few resources costs. */
export const { validate: testValidate } = createValidator(testDefinitions);

/** Each store opens a search engine of its own, because parameter ids belong to a database. */
export function testRules(): Pick<CommitRules, 'searchEngine' | 'validate' | 'revisions'> {
  return {
    validate: (resource) => testValidate(resource),
    revisions: revisionRules(systemClock()),
    searchEngine: createSearchEngine({ parameters: testParameters, baseUrl: TEST_BASE_URL }),
  };
}

// The profiles of profiles/ can all be compiled, which happens after the start, and nothing goes on when Baton stops.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { loadProfiles } from '../../src/care/profiles.ts';
import { createConformance } from '../../src/fhir/conformance.ts';
import { NO_PROFILE_RULES } from '../../src/fhir/validation/profile-rules.ts';
import { warmUp } from '../../src/warm-up.ts';

const brought = loadProfiles(new URL('../../profiles', import.meta.url).pathname);
const isProfile = (one: (typeof brought)[number]) =>
  one.resourceType === 'StructureDefinition' && one.kind === 'resource';

test('every profile is prepared once, and a stop ends it', async () => {
  const told: string[] = [];
  const log = pino({}, { write: (line: string) => void told.push(line) });
  const conformance = createConformance(brought, NO_PROFILE_RULES);
  const prepared: string[] = [];
  const ending = new AbortController();
  const counting = (profile: string) => {
    prepared.push(profile);
    conformance.prepareProfile(profile);
  };
  await warmUp(brought, { prepareProfile: counting }, { signal: ending.signal, log });
  expect(told).toEqual([]);
  // What every sweep writes is among them, a type without a profile of ours.
  const count = brought.filter(isProfile).length + 1;
  expect(prepared).toHaveLength(count);
  expect(prepared).toContain('CommunicationRequest');
  ending.abort();
  await warmUp(brought, { prepareProfile: counting }, { signal: ending.signal, log });
  expect(prepared).toHaveLength(count);
});

test('a type is prepared by its name', () => {
  const { prepareProfile, validate } = createConformance(brought, NO_PROFILE_RULES);
  prepareProfile('CommunicationRequest');
  expect(validate({ resourceType: 'CommunicationRequest', status: 'active' })).toEqual([]);
});

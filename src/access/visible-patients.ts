// Which patients a person may open in an application: those that the person's roles let be read, and those of running
// emergency accesses.

import type { Clock } from '../clock.ts';
import { fhirBase } from '../fhir/base-url.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseSearch } from '../fhir/search/parse.ts';
import type { Condition } from '../fhir/search/query.ts';
import { inPatientSets } from './patient-set.ts';
import type { Standing } from './standing.ts';

export interface VisiblePatientsOptions {
  readonly standingOf: (user: string) => Promise<Standing>;
  readonly parameters: SearchParameters;
  readonly baseUrl: () => string;
  readonly clock: Clock;
}

/** @returns a function from `Practitioner/12` to the condition that a Patient fulfils whom that person may open */
export function createVisiblePatients(options: VisiblePatientsOptions): (user: string) => Promise<Condition> {
  const { standingOf, parameters, baseUrl, clock } = options;
  return async (user) => {
    const { rules, emergencies } = await standingOf(user);
    const parsing = { handling: 'strict', baseUrl: fhirBase(baseUrl()), clock } as const;
    const readable = rules.filter(({ types, may }) => types.has('Patient') && may.has('r'));
    const ofRules = readable.map(({ patients, matching }): Condition => {
      const of: Condition[] = patients ? [inPatientSets(parameters, patients, parsing)] : [];
      if (matching) of.push(...parseSearch(parameters, 'Patient', matching, parsing).conditions);
      return { kind: 'all', of };
    });
    const inEmergency: Condition = { kind: 'id', ids: emergencies.map(({ patient }) => patient), negated: false };
    return { kind: 'any', of: [...ofRules, inEmergency] };
  };
}

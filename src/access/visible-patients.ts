// Which patients a person may open in an application: those that the person's roles let be read, as far as no consent
// keeps them from the person, and those of running emergency accesses.
import type { Clock } from '../clock.ts';
import type { Asker } from '../fhir/consent/asker.ts';
import type { LabelPolicy } from '../fhir/consent/label-policy.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseSearch } from '../fhir/search/parse.ts';
import type { Condition } from '../fhir/search/query.ts';
import { withheldCondition } from '../fhir/search/withheld.ts';
import type { Grant } from './grant.ts';
import { inPatientSets } from './patient-set.ts';
import { parseScopes } from './scopes.ts';
import type { Standing } from './standing.ts';

export interface VisiblePatientsOptions {
  readonly standingOf: (user: string) => Promise<Standing>;
  readonly parameters: SearchParameters;
  readonly baseUrl: () => string;
  readonly clock: Clock;
  /** In whose name consents are asked. */
  readonly askerOf: (grant: Grant) => Promise<Asker | undefined>;
  readonly labelPolicy: LabelPolicy;
}

/** @returns a function from `Practitioner/12` to the condition that a Patient fulfils whom that person may open */
export function createVisiblePatients(options: VisiblePatientsOptions): (user: string) => Promise<Condition> {
  const { standingOf, askerOf, parameters, baseUrl, clock, labelPolicy } = options;
  return async (user) => {
    const standing = await standingOf(user);
    const { rules, emergencies } = standing;
    const asker = await askerOf({ actor: { reference: user, kind: 'user' }, scopes: parseScopes(''), standing });
    const parsing = { handling: 'strict', baseUrl: `${baseUrl()}/fhir/R4`, clock } as const;
    const readable = rules.filter(({ types, may }) => types.has('Patient') && may.has('r'));
    const ofRules = readable.map(({ patients, matching }): Condition => {
      const of: Condition[] = patients ? [inPatientSets(parameters, patients, parsing)] : [];
      if (matching) of.push(...parseSearch(parameters, 'Patient', matching, parsing).conditions);
      return { kind: 'all', of };
    });
    const inEmergency: Condition = { kind: 'id', ids: emergencies.map(({ patient }) => patient), negated: false };
    const readableNow: Condition = { kind: 'any', of: ofRules };
    if (!asker) return { kind: 'any', of: [readableNow, inEmergency] };
    const withheld = withheldCondition(parameters, 'Patient', asker, labelPolicy);
    const permitted: Condition = { kind: 'all', of: [readableNow, { kind: 'not', of: withheld }] };
    return { kind: 'any', of: [permitted, inEmergency] };
  };
}

// Which patients, and which of their encounters, a person may open in an application: those that the person's roles let be
// read, as far as no consent keeps them from the person, and those of running emergency accesses.
import type { Clock } from '../clock.ts';
import { fhirBase } from '../fhir/base-url.ts';
import type { LabelPolicy } from '../fhir/consent/label-policy.ts';
import { compartmentCondition, membersCondition } from '../fhir/search/compartment.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseSearch } from '../fhir/search/parse.ts';
import type { Condition } from '../fhir/search/query.ts';
import { withheldCondition } from '../fhir/search/withheld.ts';
import type { Askers } from './asker.ts';
import { inPatientSets } from './patient-set.ts';
import { parseScopes } from './scopes.ts';
import type { Standing } from './standing.ts';

export interface VisiblePatientsOptions {
  readonly standingOf: (user: string) => Promise<Standing>;
  readonly parameters: SearchParameters;
  readonly baseUrl: () => string;
  readonly clock: Clock;
  /** In whose name consents are asked. */
  readonly askers: Pick<Askers, 'of'>;
  readonly labelPolicy: LabelPolicy;
}

/** @returns the condition that a resource of the type fulfils which the person, `Practitioner/12`, may open */
export function createVisiblePatients(
  options: VisiblePatientsOptions,
): (user: string, type: 'Patient' | 'Encounter') => Promise<Condition> {
  const { standingOf, askers, parameters, baseUrl, clock, labelPolicy } = options;
  return async (user, type) => {
    const standing = await standingOf(user);
    const { rules, emergencies, emergencyRules } = standing;
    const asker = await askers.of({ actor: { reference: user, kind: 'user' }, scopes: parseScopes(''), standing });
    const parsing = { handling: 'strict', baseUrl: fhirBase(baseUrl()), clock } as const;
    const isReadable = ({ types, may }: Standing['rules'][number]) => types.has(type) && may.has('r');
    const ofRules = rules.filter(isReadable).map(({ patients, matching }): Condition => {
      const of: Condition[] = [];
      if (patients) of.push(membersCondition(parameters, type, inPatientSets(parameters, patients, parsing)));
      if (matching) of.push(...parseSearch(parameters, type, matching, parsing).conditions);
      return { kind: 'all', of };
    });
    const inEmergency = emergencyRules.some(isReadable)
      ? emergencies.map(({ patient }) => compartmentCondition(parameters, type, patient))
      : [];
    const readable: Condition = { kind: 'any', of: ofRules };
    if (!asker) return { kind: 'any', of: [readable, ...inEmergency] };
    const withheld = withheldCondition(parameters, type, asker, labelPolicy);
    const permitted: Condition = { kind: 'all', of: [readable, { kind: 'not', of: withheld }] };
    return { kind: 'any', of: [permitted, ...inEmergency] };
  };
}

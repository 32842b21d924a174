// What a grant reaches, as a condition of a search: it is asked of the store together with everything else, so that what is
// out of reach is neither found, nor counted, nor sorted by.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
import { decide, type Interaction, isBound, reachesSome } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import type { Lane, Narrowing, PatientSet, RoleLimit } from '../../access/narrowing.ts';
import { inPatientSets } from '../../access/patient-set.ts';
import { Fault } from '../../fault.ts';
import type { Pairs } from '../../fhir/request-url.ts';
import { compartmentCondition, membersCondition } from '../../fhir/search/compartment.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import type { Condition } from '../../fhir/search/query.ts';
import { withheldCondition } from '../../fhir/search/withheld.ts';
import type { FhirContext } from './context.ts';
import { searchOptions } from './search-options.ts';

/** What the reach of a grant is worked out with. */
export type ReachContext = Pick<FhirContext, 'parameters' | 'labelPolicy' | 'base' | 'clock' | 'tokenSets'>;

/**
 * @param type absent for all types at once, or for several that are reached alike
 * @returns undefined when every resource is within reach
 * @throws Fault forbidden when none is
 */
export function reachOf(
  context: ReachContext,
  grant: Grant,
  interaction: Interaction,
  type: string | undefined,
  alike: readonly string[] = [],
): Condition | undefined {
  const narrowing = decide(grant, interaction, type ?? alike[0] ?? '*');
  if (!narrowing) return undefined;
  return isBound(grant, interaction)
    ? permitted(context, grant, type, narrowing)
    : withinLanes(context, type, narrowing.lanes);
}

/**
 * As `reachOf`, for a change that keeps what a resource says. Consents bind it: what is withheld could else be changed into
 * something that is not, by taking its label away or moving it to another patient, and then be read.
 * @throws Fault forbidden when nothing is within reach
 */
export function reachOfKept(context: ReachContext, grant: Grant, type: string): Condition | undefined {
  const narrowing = decide(grant, 'patch', type);
  return grant.asker
    ? permitted(context, grant, type, narrowing ?? { lanes: [WIDE] })
    : reachOf(context, grant, 'patch', type);
}

const WIDE: Lane = { constraint: [] };

/** The lanes, without what consents withhold; emergency access does not ask them. */
function permitted(
  context: ReachContext,
  { asker, standing }: Grant,
  type: string | undefined,
  { lanes }: Narrowing,
): Condition {
  // Who may know of a consent may read it, also when it keeps everything else back.
  const mayKnow = type === 'Consent' && standing?.learnsOfConsents === true;
  if (!asker || mayKnow) return withinLanes(context, type, lanes);
  const withheld = withheldCondition(context.parameters, type, asker, context.labelPolicy);
  const open: Condition = { kind: 'not', of: withheld };
  const emergency = lanes.filter((lane) => lane.emergency);
  const others = lanes.filter((lane) => !lane.emergency);
  if (emergency.length === 0) return all([withinLanes(context, type, others), open]);
  const opened = withinLanes(context, type, emergency);
  return others.length === 0 ? opened : any([opened, all([withinLanes(context, type, others), open])]);
}

/** The same for resources of several types; those that are out of reach as a whole are not among them. */
export function reachOfTypes(
  context: ReachContext,
  grant: Grant,
  interaction: Interaction,
  types: readonly string[],
): Condition {
  const reached = types.filter((type) => reachesSome(grant, interaction, type));
  const alike = Map.groupBy(reached, (type) => sameReach(grant, interaction, type));
  return any(
    [...alike.values()].map((group) => {
      const [only] = group;
      const reach = reachOf(context, grant, interaction, group.length === 1 ? only : undefined, group);
      const ofType: Condition = { kind: 'type', types: group };
      return reach ? all([ofType, reach]) : ofType;
    }),
  );
}

/** Equal for types that one condition can be asked of; what search parameters say is asked of each type by itself. */
function sameReach(grant: Grant, interaction: Interaction, type: string): string {
  const lanes = decide(grant, interaction, type)?.lanes ?? [];
  const saysMore = lanes.some(({ constraint, role }) => constraint.length > 0 || role?.matching !== undefined);
  return saysMore ? type : JSON.stringify(lanes);
}

/** As `reachOf`, when being out of reach is no reason to refuse the request. */
export function tryReach(
  context: ReachContext,
  grant: Grant,
  interaction: Interaction,
  type: string | undefined,
): Condition | 'all' | 'none' {
  try {
    return reachOf(context, grant, interaction, type) ?? 'all';
  } catch (error) {
    if (error instanceof Fault && error.kind === 'forbidden') return 'none';
    throw error;
  }
}

/** Patients of at least one of the sets. */
export function patientsOf(context: ReachContext, sets: readonly PatientSet[]): Condition {
  return inPatientSets(context.parameters, sets, searchOptions(context, 'strict'));
}

export function withinLanes(context: ReachContext, type: string | undefined, lanes: readonly Lane[]): Condition {
  return any(lanes.map((lane) => all(laneConditions(context, type, lane))));
}

function laneConditions(context: ReachContext, type: string | undefined, lane: Lane): Condition[] {
  const { patient, constraint, role } = lane;
  const { parameters } = context;
  const conditions: Condition[] = [];
  if (type === undefined && role?.types) conditions.push({ kind: 'type', types: role.types });
  if (patient !== undefined) conditions.push(compartmentCondition(parameters, type, patient));
  if (constraint.length > 0) conditions.push(...constraintConditions(context, type, constraint));
  if (role?.patients) conditions.push(membersCondition(parameters, type, patientsOf(context, role.patients)));
  if (role?.matching) conditions.push(matchingCondition(context, type, role));
  return conditions;
}

/** The parameters of each type are its own, also where they have one name. */
function matchingCondition(context: ReachContext, type: string | undefined, { types = [], matching = [] }: RoleLimit) {
  const ofType = (one: string) => all(constraintConditions(context, one, matching));
  if (type !== undefined) return ofType(type);
  return any(types.map((one): Condition => ({ kind: 'all', of: [{ kind: 'type', types: [one] }, ofType(one)] })));
}

/** @throws Fault forbidden when the constraint selects nothing that this server knows: it must not widen the scope */
function constraintConditions(context: ReachContext, type: string | undefined, pairs: Pairs): readonly Condition[] {
  const sentence = 'A scope of the token has a constraint that this server cannot apply.';
  try {
    const { conditions, applied } = parseSearch(context.parameters, type, pairs, searchOptions(context, 'strict'));
    if (conditions.length > 0 && conditions.length === applied.length) return conditions;
  } catch (cause) {
    throw new Fault('forbidden', sentence, { cause });
  }
  throw new Fault('forbidden', sentence);
}

function all(of: readonly Condition[]): Condition {
  const [only] = of;
  return only && of.length === 1 ? only : { kind: 'all', of };
}

function any(of: readonly Condition[]): Condition {
  const [only] = of;
  return only && of.length === 1 ? only : { kind: 'any', of };
}

// The protocols a transition can follow: PlanDefinitions, checked and compiled once, and the choice between them.
import type {
  ActivityDefinition,
  CodeableConcept,
  PlanDefinition,
  PlanDefinitionAction,
  RiskAssessment,
} from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { compilePath } from '../../fhir/fhirpath/compile.ts';
import { hasCode } from '../concept.ts';
import { type FollowUpTiming, readTiming } from '../deadline.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';
import { EMERGENCY, isEmergency } from './discharge.ts';
import type { RiskBand } from './risk-method.ts';
import { readStepLife, type StepLife } from './step-life.ts';
import { ageOf, diagnosesOf, principalOf, type TransitionContext } from './transition-context.ts';

/** What conditions of a protocol can ask about, beside the context itself. */
export interface RiskFacts {
  /** By the method that decides (profiles/risk-methods). */
  readonly risk: RiskAssessment;
  /** Its points. */
  readonly score: number;
  /** Its band: negligible, low, moderate, high, certain. */
  readonly band: RiskBand;
  /** Total of the LACE index; undefined when that method is off. */
  readonly lace: number | undefined;
}

/** @param facts absent for what begins with an admission: nothing is scored then */
type Applies = (context: TransitionContext, facts?: RiskFacts) => boolean;

/** One step: an action of the PlanDefinition with the ActivityDefinition it makes a Task or ServiceRequest from. */
export interface ProtocolStep {
  /** `PlanDefinition.action.id`, the STEP of a follow-up's key. */
  readonly id: string;
  readonly action: PlanDefinitionAction;
  readonly activity: ActivityDefinition;
  readonly timing: FollowUpTiming;
  readonly life: StepLife;
  readonly applies: Applies;
}

export interface Protocol {
  readonly definition: PlanDefinition;
  /** `url|version`. */
  readonly canonical: string;
  readonly precedence: number;
  /** What its days are counted from, by its topic: transitions of care begin with a discharge, notices of a stay with it. */
  readonly begins: 'discharge' | 'admission';
  /** For visits of the emergency department (`useContext` venue EMER), and for nothing else. */
  readonly forEmergency: boolean;
  readonly applies: Applies;
  readonly steps: readonly ProtocolStep[];
}

/**
 * Every active PlanDefinition about transitions of care or notices of a stay, the first choice first. A protocol has one action that holds
 * the steps; its condition says whom the protocol is for.
 * @throws Fault unprocessable naming protocol and step, when one cannot be carried out as it is written
 */
export function readProtocols(
  definitions: readonly PlanDefinition[],
  activities: readonly ActivityDefinition[],
): Protocol[] {
  const byUrl = new Map(activities.map((activity) => [activity.url ?? '', activity]));
  return definitions
    .filter(
      ({ status, topic }) =>
        status === 'active' && topic?.some((one) => isAbout(one, 'transition-of-care') || isAbout(one, 'stay-notices')),
    )
    .map((definition) => readProtocol(definition, byUrl))
    .sort((a, b) => a.precedence - b.precedence || (a.canonical < b.canonical ? -1 : 1));
}

/** Those for a patient who is in; all that apply begin. Their conditions know the stay, the patient and who pays. */
export function protocolsOfStay(protocols: readonly Protocol[], context: TransitionContext): Protocol[] {
  return protocols.filter((protocol) => protocol.begins === 'admission' && protocol.applies(context));
}

/** The first protocol that is for this discharge. */
export function chooseProtocol(
  protocols: readonly Protocol[],
  context: TransitionContext,
  facts: RiskFacts,
): Protocol | undefined {
  const venue = isEmergency(context.encounter);
  return protocols.find(
    (protocol) =>
      protocol.begins === 'discharge' && protocol.forEmergency === venue && protocol.applies(context, facts),
  );
}

/**
 * The step that a follow-up was planned from, in the protocol as it is now; undefined when it has gone.
 * @param canonical `url|version` of the protocol
 */
export function stepOf(
  protocols: readonly Protocol[],
  canonical: string | undefined,
  step: string,
): ProtocolStep | undefined {
  const url = canonical?.split('|')[0];
  const protocol = protocols.find(({ definition }) => definition.url === url);
  return protocol?.steps.find(({ id }) => id === step);
}

const isAbout = (topic: CodeableConcept, what: 'transition-of-care' | 'stay-notices') =>
  hasCode(topic, CODE_SYSTEM.episodeType, what);

function readProtocol(definition: PlanDefinition, activities: ReadonlyMap<string, ActivityDefinition>): Protocol {
  const name = definition.name ?? definition.url ?? 'without name';
  const [root, ...others] = definition.action ?? [];
  if (!definition.url || !root?.action?.length || others.length > 0) {
    throw new Fault('unprocessable', `Protocol ${name} must have a url and one action that holds its steps.`);
  }
  const steps = root.action.map((action) => readStep(action, root, activities, name));
  const repeated = steps.find(({ id }, index) => steps.findIndex((step) => step.id === id) !== index);
  if (repeated) throw new Fault('unprocessable', `Protocol ${name} has two steps with the id ${repeated.id}.`);
  const goals = new Set((definition.goal ?? []).map((goal) => goal.id));
  for (const { id, action } of steps) {
    const missing = action.goalId?.find((goal) => !goals.has(goal));
    if (missing) throw new Fault('unprocessable', `Protocol ${name}, step ${id}: there is no goal ${missing}.`);
  }
  return {
    definition,
    canonical: definition.version ? `${definition.url}|${definition.version}` : definition.url,
    precedence: definition.extension?.find(({ url }) => url === EXTENSION.precedence)?.valueInteger ?? 50,
    begins: definition.topic?.some((one) => isAbout(one, 'stay-notices')) ? 'admission' : 'discharge',
    forEmergency: isForEmergency(definition),
    applies: compileConditions(root, name),
    steps,
  };
}

function isForEmergency({ useContext }: PlanDefinition): boolean {
  return (useContext ?? []).some(
    ({ code, valueCodeableConcept }) =>
      code?.code === 'venue' && valueCodeableConcept?.coding?.some(({ code: venue }) => venue === EMERGENCY),
  );
}

function readStep(
  action: PlanDefinitionAction,
  root: PlanDefinitionAction,
  activities: ReadonlyMap<string, ActivityDefinition>,
  protocol: string,
): ProtocolStep {
  const { id, definitionCanonical } = action;
  if (!id || !/^[a-z0-9-]{1,64}$/.test(id)) {
    throw new Fault(
      'unprocessable',
      `Protocol ${protocol}: every step needs an id of small letters, digits and hyphens.`,
    );
  }
  const activity = activities.get(definitionCanonical?.split('|')[0] ?? '');
  if (!activity || (activity.kind !== 'Task' && activity.kind !== 'ServiceRequest') || !activity.code) {
    const wanted = 'an ActivityDefinition of kind Task or ServiceRequest that has a code';
    throw new Fault('unprocessable', `Protocol ${protocol}, step ${id}: definitionCanonical must name ${wanted}.`);
  }
  const timing = readTiming(action, protocol);
  const life = readStepLife(action, root, timing, protocol);
  return { id, action, activity, timing, life, applies: compileConditions(action, protocol) };
}

/** All applicability conditions hold; a condition that yields nothing does not. */
function compileConditions(action: PlanDefinitionAction, protocol: string): Applies {
  const conditions = (action.condition ?? []).filter(({ kind }) => kind === 'applicability');
  const compiled = conditions.map(({ expression }) => {
    if (expression?.language !== 'text/fhirpath' || !expression.expression) {
      throw new Fault('unprocessable', `Protocol ${protocol}, action ${action.id}: conditions must be text/fhirpath.`);
    }
    return compilePath(expression.expression, 'Encounter');
  });
  return (context, facts) =>
    compiled.every((evaluate) => isTrue(evaluate(context.encounter, environment(context, facts))));
}

const isTrue = (result: readonly { readonly value: unknown }[]) => result.length === 1 && result[0]?.value === true;

/**
 * The variables of a condition, whose root is the Encounter: %encounter, %patient, %conditions (all of the patient's),
 * %diagnoses (those of the stay), %principal (the first of them), %orders (DeviceRequests) and %pendingResults
 * (DiagnosticReports) as stored; %destination (code of CodeSystem discharge-destination), %class (code of the encounter's
 * class), %payer (codes of CodeSystem payer-kind, perhaps none), %age (years, perhaps none), %facility (its code, perhaps
 * none), %risk (the RiskAssessment by the method that decides), %score and %band (its points and what they mean) and %lace
 * (points of the LACE index).
 */
function environment(
  context: TransitionContext,
  { risk, score, band, lace }: Partial<RiskFacts> = {},
): Readonly<Record<string, unknown>> {
  const { encounter, patient, conditions, destination, anchor, now } = context;
  const named = new Set(diagnosesOf(context).map(({ reference }) => reference));
  return {
    encounter,
    patient,
    conditions,
    diagnoses: conditions.filter((condition) => named.has(referenceTo(condition).reference)),
    principal: principalOf(context),
    orders: context.orders,
    pendingResults: context.pendingResults,
    destination,
    class: encounter.class.code ?? [],
    payer: context.payers,
    age: ageOf(context) ?? [],
    facility: context.facilityCode ?? [],
    risk: risk ?? [],
    score: score ?? [],
    band: band ?? [],
    lace,
    now,
    zone: anchor.zone,
  };
}

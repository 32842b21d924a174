// A pathway that has been checked and compiled: what applying works with.
import type { ActivityDefinition, PlanDefinition, PlanDefinitionAction, PlanDefinitionGoal } from '@medplum/fhirtypes';
import type { Amount } from './amount.ts';
import type { DynamicValue } from './dynamic-value.ts';
import type { CompiledExpression } from './expression.ts';
import type { Place } from './refusal.ts';
import type { TimingRule } from './timing.ts';

export type Relationship = NonNullable<NonNullable<PlanDefinitionAction['relatedAction']>[number]['relationship']>;

export interface Relation {
  /** Id of a step of the same pathway. */
  readonly to: string;
  readonly relationship: Relationship;
  /** Absent: at that very moment. A Range has two. */
  readonly low?: Amount;
  readonly high?: Amount;
}

export interface StepCondition {
  readonly kind: 'applicability' | 'start' | 'stop';
  readonly expression: CompiledExpression;
}

/** What a step makes: an ActivityDefinition, or a Task in its stead when the action only says what to do. */
export interface Activity {
  readonly definition: ActivityDefinition;
  /** `url|version`; absent when the action itself is the definition. */
  readonly canonical?: string;
  /** Of a Questionnaire that is to be answered. */
  readonly questionnaire?: string;
  /** Of something outside FHIR that says what to do. */
  readonly uri?: string;
  readonly dynamicValues: readonly DynamicValue[];
}

/** One action: a group when it has steps, otherwise something to do. */
export interface Step {
  /** Unique in the pathway: ids of nested definitions are prefixed with that of the action that names them. */
  readonly id: string;
  readonly place: Place;
  readonly action: PlanDefinitionAction;
  readonly conditions: readonly StepCondition[];
  readonly relations: readonly Relation[];
  readonly timing?: TimingRule;
  /** Absent for a group. */
  readonly activity?: Activity;
  /** Ids of goals of the pathway. */
  readonly goals: readonly string[];
  readonly steps: readonly Step[];
}

export interface PathwayGoal {
  /** Unique in the pathway, as those of steps. */
  readonly id: string;
  readonly goal: PlanDefinitionGoal;
  readonly place: Place;
}

/** A query of the pathway's own, by the name of the variable that its result is. */
export interface PathwayQuery {
  readonly name: string;
  /** FHIR search: `Observation?patient={{%patient.id}}&code=…` */
  readonly query: string;
  readonly place: Place;
}

export interface Pathway {
  readonly definition: PlanDefinition;
  /** `url|version`. */
  readonly canonical: string;
  /** How messages call it. */
  readonly name: string;
  readonly steps: readonly Step[];
  readonly goals: readonly PathwayGoal[];
  /** Whom it is for: conditions of the one action that holds all others, when there is one. */
  readonly queries: readonly PathwayQuery[];
  /** Names of all variables that its expressions use. */
  readonly variables: ReadonlySet<string>;
  /** Canonicals of the CQL libraries that its expressions use. */
  readonly libraries: ReadonlySet<string>;
}

/** All steps, groups included, each before those within it. */
export function stepsOf(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [step, ...stepsOf(step.steps)]);
}

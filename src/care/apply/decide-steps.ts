// Which steps a pathway takes for this patient: conditions, then the choice within each group.
import { type Facts, holds } from './expression.ts';
import { isInEffect, type Moment } from './in-effect.ts';
import type { Step } from './pathway.ts';
import type { Place } from './refusal.ts';
import { type Choice, selectSteps } from './select.ts';

export interface DecidedStep {
  readonly step: Step;
  /** Counted from `1`; within a group that is taken several times `2.1`. */
  readonly occurrence: string;
  /** False: its start condition does not hold yet. */
  readonly isReady: boolean;
  readonly steps: readonly DecidedStep[];
}

export interface DecideOptions {
  readonly facts: Facts;
  /** `offer` leaves the choice open, as a RequestGroup does. */
  readonly mode: 'offer' | 'choose';
  readonly choice: Choice;
  /** When it is applied: a step whose activity is not in effect then is not taken. */
  readonly moment: Moment;
}

/**
 * The steps that are taken, or offered.
 * @throws Fault unprocessable naming the action, for a condition that yields no boolean or a choice that cannot be made
 */
export function decideSteps(
  steps: readonly Step[],
  group: Step | undefined,
  place: Place,
  options: DecideOptions,
  within = '',
): DecidedStep[] {
  const { facts, mode, choice, moment } = options;
  const applicable = steps.filter((step) => isApplicable(step, facts, moment));
  const taken =
    mode === 'offer'
      ? applicable.map((step) => ({ step, times: 1 }))
      : selectSteps(applicable, group, choice, group?.place ?? place);
  return taken.flatMap(({ step, times }) =>
    Array.from({ length: times }, (_, index) => {
      const occurrence = `${within}${index + 1}`;
      const inner = decideSteps(step.steps, step, place, options, times > 1 ? `${occurrence}.` : within);
      return { step, occurrence, isReady: allHold(step, 'start', facts), steps: inner };
      // A group of which nothing is left is nothing.
    }).filter((decided) => step.activity !== undefined || decided.steps.length > 0),
  );
}

/** Its applicability conditions hold, and none says that it should stop before it has begun. */
function isApplicable(step: Step, facts: Facts, moment: Moment): boolean {
  if (step.activity && !isInEffect(step.activity.definition, moment)) return false;
  const stops = step.conditions.filter(({ kind }) => kind === 'stop');
  return allHold(step, 'applicability', facts) && (stops.length === 0 || !allHold(step, 'stop', facts));
}

function allHold({ conditions, place }: Step, kind: 'applicability' | 'start' | 'stop', facts: Facts): boolean {
  const here = { ...place, element: 'PlanDefinition.action.condition' };
  return conditions
    .filter((condition) => condition.kind === kind)
    .every(({ expression }) => holds(expression.evaluate(facts), here));
}

/** Whether a pathway is for this patient: whether any of its steps applies. */
export function isFor(steps: readonly Step[], facts: Facts, moment: Moment): boolean {
  return steps.some(
    (step) => isApplicable(step, facts, moment) && (step.activity !== undefined || isFor(step.steps, facts, moment)),
  );
}

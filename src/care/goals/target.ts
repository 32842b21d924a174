// Targets of a goal, and back. https://hl7.org/fhir/R4/goal-definitions.html#Goal.target
import { isDeepStrictEqual } from 'node:util';
import type { GoalTarget } from '@medplum/fhirtypes';
import { codedOf, conceptOf } from '../coded.ts';
import { choiceOf, valueIn } from '../measured-value.ts';
import type { GoalView, Target, TargetAgain } from './goal-schema.ts';

const DETAILS = ['Quantity', 'Range', 'CodeableConcept', 'String', 'Boolean', 'Integer', 'Ratio'] as const;

export function targetOf({ measure, detail, due }: Target): GoalTarget {
  return {
    ...(measure ? { measure: conceptOf(measure) } : {}),
    ...(detail ? choiceOf('detail', detail) : {}),
    ...(due ? { dueDate: due } : {}),
  } as GoalTarget;
}

export function viewTarget(target: GoalTarget): GoalView['targets'][number] {
  const [measure, detail] = [codedOf(target.measure), valueIn('detail', target)];
  const { value, unit, code } = target.dueDuration ?? {};
  return {
    ...(measure ? { measure } : {}),
    ...(detail ? { detail } : {}),
    ...(target.dueDate ? { due: target.dueDate } : {}),
    ...(value === undefined ? {} : { within: `${value} ${unit ?? code ?? ''}`.trim() }),
  };
}

/**
 * The targets that were given. One that says the same as one that is there is that one, with all it has; one of the same
 * measure is that one with another detail and due date.
 */
export function revisedTargets(there: readonly GoalTarget[], given: readonly TargetAgain[]): GoalTarget[] {
  const left = [...there];
  const take = (wanted: (target: GoalTarget) => boolean) => {
    const at = left.findIndex(wanted);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  const same = given.map((target) => take((one) => isDeepStrictEqual(plain(viewTarget(one)), plain(target))));
  return given.map((target, at) => {
    const kept = same[at];
    if (kept) return kept;
    const akin = take((one) =>
      isDeepStrictEqual(codedOf(one.measure), target.measure && codedOf(conceptOf(target.measure))),
    );
    return akin ? changed(akin, target) : targetOf(target);
  });
}

function changed(target: GoalTarget, given: Target): GoalTarget {
  const next: Record<string, unknown> = { ...target };
  const view = viewTarget(target);
  if (!isDeepStrictEqual(plain(view.detail), plain(given.detail))) {
    for (const type of DETAILS) delete next[`detail${type}`];
    if (given.detail) Object.assign(next, choiceOf('detail', given.detail));
  }
  if (view.due !== given.due) {
    delete next.dueDate;
    delete next.dueDuration;
    if (given.due) next.dueDate = given.due;
  }
  return next as GoalTarget;
}

/** Without the marks that FHIR's exact decimals leave on objects. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

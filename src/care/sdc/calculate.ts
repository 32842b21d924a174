// Answers that follow from others: calculatedExpression, until nothing changes any more.
// https://hl7.org/fhir/uv/sdc/behavior.html#calculations

import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { cloneExact } from '../../fhir/exact-json.ts';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import { valueIn } from './answer-value.ts';
import { answersFrom } from './coerce.ts';
import { enabledIn } from './enablement.ts';
import { openSession, type Problem, type Session, type Surroundings } from './evaluate.ts';
import { EXT, expressionsOf } from './extensions.ts';
import type { Form } from './form.ts';
import { answersOf, type Place, within } from './places.ts';
import { setAnswers } from './set-answers.ts';

export interface Calculated {
  /** A copy; what was given is unchanged. */
  readonly response: QuestionnaireResponse;
  readonly problems: readonly Problem[];
}

/** Calculations that depend on each other settle one after the other; those that chase each other never do. */
const MOST_ROUNDS = 20;

/** @throws Fault unprocessable when that takes too long */
export function calculate(form: Form, given: QuestionnaireResponse, surroundings: Surroundings): Calculated {
  return withinTime(() => settle(form, given, surroundings));
}

function settle(form: Form, given: QuestionnaireResponse, surroundings: Surroundings): Calculated {
  const response = cloneExact(given);
  if (!form.items.some(isCalculated)) return { response, problems: [] };
  let problems: readonly Problem[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const session = openSession(form, response, surroundings);
    const changed = calculateOnce(session);
    problems = session.problems;
    if (!changed) return { response, problems };
  }
  return { response, problems: [...problems, { path: '', text: 'Calculations of the form do not come to an end.' }] };
}

export const isCalculated = ({ definition }: Form['items'][number]): boolean =>
  expressionsOf(definition, EXT.calculatedExpression).length > 0;

function calculateOnce(session: Session): boolean {
  const isEnabled = enabledIn(session);
  const due: { place: Place; answers: ReturnType<typeof answersFrom> }[] = [];
  for (const place of within(session.places)) {
    const [expression] = expressionsOf(place.item.definition, EXT.calculatedExpression);
    if (!expression) continue;
    const answers = isEnabled(place) ? answersFrom(session.ask(expression, place), place.item.definition) : [];
    if (!saysSame(place, answers)) due.push({ place, answers });
  }
  // One that has no place to go to (in an answer that is not given) changes nothing.
  return due.map(({ place, answers }) => setAnswers(place, answers)).includes(true);
}

function saysSame(place: Place, answers: ReturnType<typeof answersFrom>): boolean {
  const before = answersOf(place);
  if (before.length !== answers.length) return false;
  return answers.every((answer, index) => isSame(valueIn(answer)?.value, valueIn(before[index] ?? {})?.value));
}

function isSame(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

// The points that answers are worth, for weight() in expressions: from the answer itself, the option that was chosen, or
// the code in a contained value set. https://hl7.org/fhir/uv/sdc/expressions.html#fhirpath-supplements
import type { Coding, Questionnaire, QuestionnaireItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import type { TypedValue } from '../../fhir/fhirpath/typed-value.ts';
import { optionFor, sameCoding, valueIn } from './answer-value.ts';
import { weightIn } from './extensions.ts';
import type { Form } from './form.ts';
import { type Place, within } from './places.ts';

/** Looks an answer, or the coding in it, up by what object it is: the same coding may be worth more elsewhere. */
export function weightsIn(form: Form, places: readonly Place[]): (item: TypedValue) => number | undefined {
  const weights = new Map<unknown, number>();
  for (const { item, given } of within(places)) {
    for (const answer of given?.answer ?? []) {
      const weight = weightOf(form.questionnaire, item.definition, answer);
      if (weight === undefined) continue;
      weights.set(answer, weight);
      const value = valueIn(answer)?.value;
      if (typeof value === 'object') weights.set(value, weight);
    }
  }
  return ({ value }) => weights.get(value);
}

/** The points of one answer to `item`; undefined when nothing says. */
export function weightOf(
  questionnaire: Questionnaire,
  item: QuestionnaireItem,
  answer: QuestionnaireResponseItemAnswer,
): number | undefined {
  const own = weightIn(answer) ?? weightIn(answer.valueCoding);
  if (own !== undefined) return own;
  const option = optionFor(item, answer);
  if (option) return weightIn(option) ?? weightIn(option.valueCoding);
  return answer.valueCoding && containedWeight(questionnaire, item.answerValueSet, answer.valueCoding);
}

function containedWeight(questionnaire: Questionnaire, valueSet: string | undefined, coding: Coding) {
  if (!valueSet?.startsWith('#')) return undefined;
  const found = questionnaire.contained?.find(({ id }) => `#${id}` === valueSet);
  if (found?.resourceType !== 'ValueSet') return undefined;
  for (const { system, concept } of found.compose?.include ?? []) {
    const member = concept?.find(({ code }) => sameCoding({ ...(system ? { system } : {}), code: code ?? '' }, coding));
    if (member) return weightIn(member);
  }
  return undefined;
}

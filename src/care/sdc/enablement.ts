// Which items of a form apply, given the answers so far.
// https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
import type { QuestionnaireItemEnableWhen } from '@medplum/fhirtypes';
import { compareMoments, momentOf } from '../../fhir/fhirpath/temporal.ts';
import { sameCoding, valueIn } from './answer-value.ts';
import type { Session } from './evaluate.ts';
import { EXT, expressionsOf } from './extensions.ts';
import { answersFor, answersOf, type Place } from './places.ts';

/** Whether the item at a place is to be answered: it applies, and so does all it is in. */
export function enabledIn(session: Session): (place: Place) => boolean {
  const known = new Map<Place, boolean>();

  function isEnabled(place: Place): boolean {
    const settled = known.get(place);
    if (settled !== undefined) return settled;
    // A question that depends on itself counts as answered while it is being settled.
    known.set(place, true);
    const enabled = (!place.parent || isEnabled(place.parent)) && applies(place);
    known.set(place, enabled);
    return enabled;
  }

  function applies(place: Place): boolean {
    const { enableWhen = [], enableBehavior } = place.item.definition;
    const [expression] = expressionsOf(place.item.definition, EXT.enableWhenExpression);
    if (expression) {
      const answer = session.ask(expression, place);
      return answer.length === 1 && answer[0]?.value === true;
    }
    if (enableWhen.length === 0) return true;
    const test = (condition: QuestionnaireItemEnableWhen) => holds(condition, place);
    return enableBehavior === 'any' ? enableWhen.some(test) : enableWhen.every(test);
  }

  function holds(condition: QuestionnaireItemEnableWhen, place: Place): boolean {
    const question = session.form.find(condition.question ?? '');
    const answers = question
      ? answersFor(session.places, place, question)
          .filter((other) => other !== place && isEnabled(other))
          .flatMap(answersOf)
      : [];
    if (condition.operator === 'exists') return answers.some(valueIn) === (condition.answerBoolean ?? true);
    return answers.some((answer) => compares(condition, valueIn(answer)?.value));
  }

  return isEnabled;
}

function compares(condition: QuestionnaireItemEnableWhen, value: unknown): boolean {
  const [key, expected] = Object.entries(condition).find(([name]) => name.startsWith('answer')) ?? [];
  if (key === undefined || value === undefined) return false;
  if (condition.operator === '=') return isSame(value, expected);
  if (condition.operator === '!=') return !isSame(value, expected);
  const order = orderOf(value, expected);
  if (order === undefined) return false;
  if (condition.operator === '>') return order > 0;
  if (condition.operator === '<') return order < 0;
  return condition.operator === '>=' ? order >= 0 : order <= 0;
}

function isSame(value: unknown, expected: unknown): boolean {
  if (typeof value !== 'object' || typeof expected !== 'object' || !value || !expected) return value === expected;
  if ('reference' in expected) return (value as { reference?: unknown }).reference === expected.reference;
  if ('value' in expected) return orderOf(value, expected) === 0;
  return sameCoding(value, expected);
}

/** Below, at or above zero; undefined when the two cannot be put in order. */
export function orderOf(value: unknown, other: unknown): number | undefined {
  if (typeof value === 'number' && typeof other === 'number') return value - other;
  if (typeof value === 'string' && typeof other === 'string') {
    const [left, right] = [momentOf(value), momentOf(other)];
    return left && right ? compareMoments(left, right) : undefined;
  }
  const [left, right] = [quantityIn(value), quantityIn(other)];
  if (!left || !right || (left.code ?? left.unit) !== (right.code ?? right.unit)) return undefined;
  return left.value - right.value;
}

function quantityIn(value: unknown) {
  const quantity = value as { value?: unknown; code?: string; unit?: string } | null | undefined;
  return typeof quantity?.value === 'number' ? { ...quantity, value: quantity.value } : undefined;
}

// New answers over old ones, keeping what an answer form cannot say: ids, extensions and whatever others wrote.
import type { QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { valueIn } from './answer-value.ts';

type Answer = QuestionnaireResponseItemAnswer;
type Item = QuestionnaireResponseItem;

/** An answer with the value of an old one is that one. Items below that are not spoken of stay as they were. */
export function mergeAnswers(before: readonly Answer[], after: readonly Answer[]): Answer[] {
  const left = [...before];
  return after.map((answer) => {
    const at = left.findIndex((old) => saysSame(old, answer));
    const [old] = at < 0 ? [] : left.splice(at, 1);
    if (!old) return answer;
    return { ...old, ...(answer.item ? { item: mergeItems(old.item ?? [], answer.item) } : {}) };
  });
}

/** Items of one linkId are paired in their order. */
export function mergeItems(before: readonly Item[], after: readonly Item[]): Item[] {
  const left = [...before];
  return after.map((item) => {
    const at = left.findIndex(({ linkId }) => linkId === item.linkId);
    const [old] = at < 0 ? [] : left.splice(at, 1);
    if (!old) return item;
    return {
      ...old,
      ...(item.answer ? { answer: mergeAnswers(old.answer ?? [], item.answer) } : {}),
      ...(item.item ? { item: mergeItems(old.item ?? [], item.item) } : {}),
    };
  });
}

/** A coding is the same when it names the same code; a coding of the record may say more than the form offers. */
function saysSame(old: Answer, made: Answer): boolean {
  const [left, right] = [valueIn(old), valueIn(made)];
  if (left?.key !== right?.key) return false;
  if (left?.key !== 'valueCoding') return JSON.stringify(left?.value) === JSON.stringify(right?.value);
  const key = ({ system, code, display }: NonNullable<Answer['valueCoding']>) =>
    JSON.stringify(code ? [system, code] : [display]);
  return key(old.valueCoding ?? {}) === key(made.valueCoding ?? {});
}

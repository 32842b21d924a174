// Putting answers into a response, in the order of the form.
import type { QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { type FormItem, isGroup } from './form.ts';
import { mergeAnswers } from './keep-unknown.ts';
import type { Container, Place } from './places.ts';

type Answer = QuestionnaireResponseItemAnswer;

/**
 * Replaces the answers at a place of a response that may be changed; none takes the item out. What the new answers do not
 * speak of stays: ids and extensions of the item, and items within an answer that is the same as before.
 * @returns false when the place is inside an answer that has not been given
 */
export function setAnswers(place: Place, answers: readonly Answer[]): boolean {
  const container = place.container ?? containerFor(place.parent);
  if (!container) return false;
  const { given } = place;
  if (answers.length === 0) {
    if (given) remove(container, given);
    return true;
  }
  if (given) given.answer = mergeAnswers(given.answer ?? [], answers);
  else insertItem(container, { linkId: place.item.linkId, ...textIn(place.item), answer: [...answers] }, place.item);
  return true;
}

export function textIn({ definition }: FormItem): { text?: string } {
  return definition.text ? { text: definition.text } : {};
}

/** The group that a place is in, made when it is not there; undefined inside a question without an answer. */
function containerFor(parent: Place | undefined): Container | undefined {
  if (!parent || !isGroup(parent.item)) return undefined;
  const container = parent.container ?? containerFor(parent.parent);
  if (!container) return undefined;
  const there = container.item?.find(({ linkId }) => linkId === parent.item.linkId);
  if (there) return there;
  const made: QuestionnaireResponseItem = { linkId: parent.item.linkId, ...textIn(parent.item) };
  insertItem(container, made, parent.item);
  return made;
}

/** Before the first item that comes later in the form. */
export function insertItem(container: Container, made: QuestionnaireResponseItem, item: FormItem): void {
  const order = new Map(item.siblings.map(({ linkId }, index) => [linkId, index]));
  const items = container.item ?? [];
  const position = (linkId: string) => order.get(linkId) ?? Number.POSITIVE_INFINITY;
  const at = items.findIndex(({ linkId = '' }) => position(linkId) > position(item.linkId));
  container.item = at < 0 ? [...items, made] : items.toSpliced(at, 0, made);
}

function remove(container: Container, given: QuestionnaireResponseItem): void {
  const left = (container.item ?? []).filter((item) => item !== given);
  if (left.length > 0) container.item = left;
  else delete container.item;
}

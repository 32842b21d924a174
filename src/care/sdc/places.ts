// A response laid over its form: every place where an item may be answered, also those with no answer yet, with what it
// is in. An item of a repeating group has a place in each repetition.
import type {
  QuestionnaireResponse,
  QuestionnaireResponseItem,
  QuestionnaireResponseItemAnswer,
} from '@medplum/fhirtypes';
import { type Form, type FormItem, isGroup, isWithin } from './form.ts';

/** What has items: a response, a group or an answer. */
export interface Container {
  item?: QuestionnaireResponseItem[];
}

export interface Place {
  readonly item: FormItem;
  /** What the response says here; undefined: nothing. */
  readonly given: QuestionnaireResponseItem | undefined;
  readonly parent: Place | undefined;
  /** The group or answer that items in here belong to; undefined until there is one. */
  readonly children: readonly Place[];
  /** Where `given` is or would be; undefined when the parent group or answer is not there itself. */
  readonly container: Container | undefined;
}

export function layOut(form: Form, response: QuestionnaireResponse): readonly Place[] {
  return placesIn(form.top, response, undefined);
}

function placesIn(items: readonly FormItem[], container: Container | undefined, parent: Place | undefined): Place[] {
  return items.flatMap((item) => {
    const given = container?.item?.filter(({ linkId }) => linkId === item.linkId) ?? [];
    // Display items and questions have one place; a group one for each repetition.
    const found = given.length === 0 ? [undefined] : given;
    return found.map((one) => placeOf(item, one, container, parent));
  });
}

function placeOf(
  item: FormItem,
  given: QuestionnaireResponseItem | undefined,
  container: Container | undefined,
  parent: Place | undefined,
): Place {
  const children: Place[] = [];
  const place: Place = { item, given, parent, children, container };
  if (isGroup(item)) children.push(...placesIn(item.children, given, place));
  else {
    const answers: readonly (Container | undefined)[] = given?.answer?.length ? given.answer : [undefined];
    for (const answer of answers) children.push(...placesIn(item.children, answer, place));
  }
  return place;
}

/** A place and all places in it, from outside in. */
export function* within(places: readonly Place[]): Generator<Place> {
  for (const place of places) {
    yield place;
    yield* within(place.children);
  }
}

/**
 * The answers to `question` that count at a place: those nearest to it, in its own repetition of a group before those of
 * the whole form.
 */
export function answersFor(places: readonly Place[], from: Place, question: FormItem): Place[] {
  for (let at = from.parent; at; at = at.parent) {
    if (isWithin(question, at.item)) return [...within([at])].filter(({ item }) => item === question);
  }
  return [...within(places)].filter(({ item }) => item === question);
}

export const answersOf = ({ given }: Place): readonly QuestionnaireResponseItemAnswer[] => given?.answer ?? [];

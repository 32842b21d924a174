// A response as it is before anybody answers: with fixed first answers, what expressions make of the record, and the
// latest observations. https://hl7.org/fhir/uv/sdc/populate.html
import type {
  Observation,
  QuestionnaireItem,
  QuestionnaireResponse,
  QuestionnaireResponseItem,
  QuestionnaireResponseItemAnswer,
} from '@medplum/fhirtypes';
import type { Collection, TypedValue } from '../../fhir/fhirpath/typed-value.ts';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import { valueIn } from './answer-value.ts';
import { calculate } from './calculate.ts';
import { answersFrom, plainCoding } from './coerce.ts';
import { openSession, type Problem, type Session, type Surroundings } from './evaluate.ts';
import { EXT, expressionsOf } from './extensions.ts';
import type { Fetched } from './fetch-queries.ts';
import { canonicalOf, type Form, type FormItem, isGroup } from './form.ts';
import { textIn } from './set-answers.ts';

export interface Populated {
  readonly response: QuestionnaireResponse;
  readonly problems: readonly Problem[];
}

type Variables = Readonly<Record<string, unknown>>;

/**
 * @param start what the response says of itself: subject, author, authored, encounter
 * @throws Fault unprocessable when the form's expressions take too long
 */
export function populate(
  form: Form,
  start: Partial<QuestionnaireResponse>,
  given: Surroundings,
  fetched: Fetched,
): Populated {
  return withinTime(() => fillIn(form, start, given, fetched));
}

function fillIn(form: Form, start: Partial<QuestionnaireResponse>, given: Surroundings, fetched: Fetched): Populated {
  const surroundings = { ...given, fetched: fetched.queries };
  const questionnaire = canonicalOf(form.questionnaire);
  const empty: QuestionnaireResponse = {
    resourceType: 'QuestionnaireResponse',
    ...(questionnaire ? { questionnaire } : {}),
    status: 'in-progress',
    ...start,
  };
  const session = openSession(form, empty, surroundings);
  const item = form.top.flatMap((one) => fill(one, session, {}, fetched.observed));
  const filled = item.length > 0 ? { ...empty, item } : empty;
  const { response, problems } = calculate(form, filled, surroundings);
  return { response, problems: [...fetched.problems, ...session.problems, ...problems] };
}

function fill(
  item: FormItem,
  session: Session,
  outer: Variables,
  observed: Fetched['observed'],
): QuestionnaireResponseItem[] {
  const [context] = expressionsOf(item.definition, EXT.itemPopulationContext);
  if (!context) return fillOnce(item, session, outer, observed);
  const found = eachOf(session.ask(context, placeOf(session, item), outer));
  const repetitions = item.definition.repeats ? found : found.slice(0, 1);
  return repetitions.flatMap((value) =>
    fillOnce(item, session, context.name ? { ...outer, [context.name]: value } : outer, observed),
  );
}

/** A search finds a Bundle, but what a group is repeated for is what is in it. */
function eachOf(values: Collection): Collection {
  return values.flatMap((value): Collection => {
    if (value.type !== 'Bundle') return [value];
    const { entry = [] } = value.value as { entry?: { resource?: { resourceType: string } }[] };
    return entry.flatMap(({ resource }) => (resource ? { type: resource.resourceType, value: resource } : []));
  });
}

function fillOnce(
  item: FormItem,
  session: Session,
  variables: Variables,
  observed: Fetched['observed'],
): QuestionnaireResponseItem[] {
  const inside = () => item.children.flatMap((child) => fill(child, session, variables, observed));
  const head = { linkId: item.linkId, ...textIn(item) };
  if (isGroup(item)) {
    const items = inside();
    return items.length > 0 ? [{ ...head, item: items }] : [];
  }
  const [first, ...more] = firstAnswers(item, session, variables, observed.get(item.linkId));
  if (!first) return [];
  const items = inside();
  return [{ ...head, answer: [items.length > 0 ? { ...first, item: items } : first, ...more] }];
}

function firstAnswers(
  item: FormItem,
  session: Session,
  variables: Variables,
  observation: Observation | undefined,
): QuestionnaireResponseItemAnswer[] {
  const { definition } = item;
  const [expression] = expressionsOf(definition, EXT.initialExpression);
  if (expression) {
    const answers = answersFrom(session.ask(expression, placeOf(session, item), variables), definition);
    if (answers.length > 0) return answers;
  }
  if (observation) {
    const answers = answersFrom(valuesOf(observation), definition);
    if (answers.length > 0) return answers;
  }
  return fixedAnswers(definition);
}

function fixedAnswers({ initial = [], answerOption = [] }: QuestionnaireItem): QuestionnaireResponseItemAnswer[] {
  const chosen = answerOption
    .filter(({ initialSelected }) => initialSelected)
    .map(({ initialSelected, ...one }) => one);
  return [...initial, ...chosen].flatMap((one) => {
    const found = valueIn(one);
    if (!found) return [];
    const value = found.key === 'valueCoding' ? plainCoding(found.value as object) : found.value;
    return { [found.key]: value } as QuestionnaireResponseItemAnswer;
  });
}

function valuesOf(observation: Observation): TypedValue[] {
  const found = valueIn(observation);
  if (!found) return [];
  const name = found.key.slice('value'.length);
  return [{ type: name === 'CodeableConcept' || name === 'Quantity' ? name : name.toLowerCase(), value: found.value }];
}

const placeOf = (session: Session, item: FormItem) => {
  const find = (places: Session['places']): Session['places'][number] | undefined => {
    for (const place of places) {
      const found = place.item === item ? place : find(place.children);
      if (found) return found;
    }
    return undefined;
  };
  return find(session.places);
};

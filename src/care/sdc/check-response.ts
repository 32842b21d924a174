// A response against its form: what is missing, what does not belong, what cannot be an answer. Sentences name the item by
// its linkIds and never repeat an answer. https://hl7.org/fhir/R4/questionnaireresponse.html#notes
import type { OperationOutcomeIssue, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import { isOption } from './answer-value.ts';
import { isCalculated } from './calculate.ts';
import { type CodeTest, checkAnswer } from './check-answer.ts';
import { enabledIn } from './enablement.ts';
import { openSession, type Session, type Surroundings } from './evaluate.ts';
import { EXT, extensionOf, extensionsOf, numberIn } from './extensions.ts';
import { canonicalOf, type Form, type FormItem, isGroup } from './form.ts';
import { answersOf, type Container, type Place, within } from './places.ts';
import { issueAt } from './response-issue.ts';

export interface CheckOptions {
  /** Also what only a finished response must meet: required items, fewest repetitions. */
  readonly complete: boolean;
  /** Whether a code is in a value set; undefined when nobody can tell. */
  readonly hasCode?: CodeTest;
  /** Items whose answers may be there although they do not apply: those of a draft, which may apply again. */
  readonly mayLinger?: (linkId: string) => boolean;
}

type Issue = OperationOutcomeIssue;

/**
 * All that is wrong; nothing when the response may be taken as it is.
 * @throws Fault unprocessable when the form's expressions take too long
 */
export function checkResponse(
  form: Form,
  response: QuestionnaireResponse,
  surroundings: Surroundings,
  options: CheckOptions,
): Issue[] {
  return withinTime(() => issuesIn(form, response, surroundings, options));
}

function issuesIn(
  form: Form,
  response: QuestionnaireResponse,
  surroundings: Surroundings,
  options: CheckOptions,
): Issue[] {
  const session = openSession(form, response, surroundings);
  const isEnabled = enabledIn(session);
  const places = [...within(session.places)];
  return [
    ...wrongForm(form, response),
    ...strangers(form.top, response, undefined, []),
    ...places.flatMap((place) => (isEnabled(place) ? checkPlace(place, session, options) : disabled(place, options))),
    ...rootConstraints(form, session),
    ...repetitions(places, isEnabled, options.complete),
  ];
}

function wrongForm({ questionnaire }: Form, response: QuestionnaireResponse): Issue[] {
  const named = response.questionnaire?.split('|')[0];
  if (named === undefined || questionnaire.url === undefined || named === questionnaire.url) return [];
  const sentence = `The response is to another Questionnaire than ${canonicalOf(questionnaire)}.`;
  return [
    {
      severity: 'error',
      code: 'value',
      details: { text: sentence },
      expression: ['QuestionnaireResponse.questionnaire'],
    },
  ];
}

/** Items that the form does not have there. */
function strangers(
  known: readonly FormItem[],
  container: Container,
  parent: FormItem | undefined,
  path: readonly string[],
): Issue[] {
  return (container.item ?? []).flatMap((given: QuestionnaireResponseItem) => {
    const linkId = given.linkId ?? '';
    const here = [...path, linkId];
    const item = known.find((one) => one.linkId === linkId);
    if (!item) {
      const place = parent ? `in ${parent.path}` : 'at the top';
      return [issueAt(here, 'not-found', `The form has no item ${linkId} ${place}.`)];
    }
    if (isGroup(item) && given.answer?.length)
      return [issueAt(here, 'structure', `${item.path} is a group: it has items, not answers.`)];
    if (!isGroup(item) && given.item?.length) {
      return [issueAt(here, 'structure', `Items below the question ${item.path} belong into its answer.`)];
    }
    if (item.definition.type === 'display' && given.answer?.length) {
      return [issueAt(here, 'structure', `${item.path} is only shown; it takes no answer.`)];
    }
    const containers: readonly Container[] = isGroup(item) ? [given] : (given.answer ?? []);
    return containers.flatMap((one) => strangers(item.children, one, item, here));
  });
}

function disabled(place: Place, { mayLinger }: CheckOptions): Issue[] {
  if (answersOf(place).length === 0 || mayLinger?.(place.item.linkId)) return [];
  return [
    at(place, 'business-rule', `${place.item.path} does not apply, given the other answers; take its answer away.`),
  ];
}

function checkPlace(place: Place, session: Session, options: CheckOptions): Issue[] {
  const { definition, path } = place.item;
  const answers = answersOf(place);
  const least = Math.max(definition.required ? 1 : 0, numberIn(definition, EXT.minOccurs) ?? 0);
  const most = definition.repeats ? numberIn(definition, EXT.maxOccurs) : 1;
  const issues: Issue[] = [];
  if (!isGroup(place.item)) {
    if (options.complete && definition.type !== 'display' && answers.length < least && isReachable(place)) {
      const wanted = least === 1 ? 'an answer' : `at least ${least} answers`;
      issues.push(at(place, 'required', `${path} needs ${wanted}.`));
    }
    if (most !== undefined && answers.length > most) {
      issues.push(at(place, 'structure', `${path} takes at most ${most} answer${most === 1 ? '' : 's'}.`));
    }
    issues.push(...exclusive(place), ...fixed(place));
  }
  for (const answer of answers) {
    for (const { code, text } of checkAnswer(place.item, answer, session.form.questionnaire, options.hasCode)) {
      issues.push(at(place, code, text));
    }
  }
  return [...issues, ...constraints(place, session)];
}

/** A group that may be left out, and is, asks nothing; nor does a question in an answer that is not given. */
function isReachable(place: Place): boolean {
  for (let outer = place.parent; outer; outer = outer.parent) {
    if (outer.given) return true;
    if (!isGroup(outer.item) || !outer.item.definition.required) return false;
  }
  return true;
}

function exclusive(place: Place): Issue[] {
  const alone = (place.item.definition.answerOption ?? []).filter(
    (option) => extensionOf(option, EXT.optionExclusive)?.valueBoolean,
  );
  const answers = answersOf(place);
  if (answers.length < 2 || !answers.some((answer) => alone.some((option) => isOption(answer, option)))) return [];
  return [at(place, 'business-rule', `${place.item.path} has an answer that rules out all others, and another one.`)];
}

/** What the form fixes stays as it is; a calculated answer is made anew, so nobody need be told. */
function fixed(place: Place): Issue[] {
  const { definition, path } = place.item;
  if (!definition.readOnly || isCalculated(place.item) || answersOf(place).length === 0) return [];
  const first = definition.initial ?? [];
  if (first.length === 0) return [];
  const kept = answersOf(place).every((answer) => first.some((one) => isOption(answer, one as object)));
  return kept ? [] : [at(place, 'business-rule', `${path} cannot be changed.`)];
}

function constraints(place: Place, session: Session): Issue[] {
  if (!place.given) return [];
  return brokenConstraints(place.item.definition, (expression) => session.ask(expression, place)).map(
    ({ severity, text }) => at(place, 'invariant', `${place.item.path}: ${text}`, severity),
  );
}

function rootConstraints({ questionnaire }: Form, session: Session): Issue[] {
  return brokenConstraints(questionnaire, (expression) => session.ask(expression, undefined)).map(
    ({ severity, text }) => issueAt([], 'invariant', text, severity),
  );
}

interface Broken {
  readonly severity: 'error' | 'warning';
  readonly text: string;
}

/** Only what is plainly false is broken: a rule about something that is not answered yet says nothing. */
function brokenConstraints(
  element: Parameters<typeof extensionsOf>[0],
  ask: (expression: Parameters<Session['ask']>[0]) => ReturnType<Session['ask']>,
): Broken[] {
  const simple = extensionsOf(element, EXT.constraint);
  const targeted = extensionsOf(element, EXT.targetConstraint);
  return [...simple, ...targeted].flatMap(({ extension = [] }): Broken[] => {
    const part = (name: string) => extension.find(({ url }) => url === name);
    const text = part('expression')?.valueString;
    const expression = part('expression')?.valueExpression ?? {
      language: 'text/fhirpath' as const,
      expression: text ?? '',
    };
    const answer = ask(expression);
    if (answer.length !== 1 || answer[0]?.value !== false) return [];
    const severity = part('severity')?.valueCode === 'warning' ? 'warning' : 'error';
    return [{ severity, text: part('human')?.valueString ?? 'A rule of the form is broken.' }];
  });
}

/** How often a group is there. */
function repetitions(places: readonly Place[], isEnabled: (place: Place) => boolean, complete: boolean): Issue[] {
  const groups = places.filter((place) => isGroup(place.item) && isEnabled(place));
  const together = Map.groupBy(groups, ({ item, parent }) =>
    JSON.stringify([item.path, parent ? places.indexOf(parent) : -1]),
  );
  return [...together.values()].flatMap((same): Issue[] => {
    const [first] = same as [Place, ...Place[]];
    const { definition, path } = first.item;
    const count = same.filter(({ given }) => given).length;
    const most = definition.repeats ? numberIn(definition, EXT.maxOccurs) : 1;
    const least = Math.max(definition.required ? 1 : 0, numberIn(definition, EXT.minOccurs) ?? 0);
    if (most !== undefined && count > most)
      return [at(first, 'structure', `${path} may be there at most ${most} time${most === 1 ? '' : 's'}.`)];
    if (complete && count < least && isReachable(first)) return [at(first, 'required', `${path} must be filled in.`)];
    return [];
  });
}

function at(place: Place, code: Issue['code'], text: string, severity: Issue['severity'] = 'error'): Issue {
  return issueAt(place.item.path.split('/'), code, text, severity);
}

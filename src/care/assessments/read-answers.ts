// Answers as an application sends them, put into a response. Each is refused with the linkIds of its item.

import type {
  OperationOutcomeIssue,
  QuestionnaireItem,
  QuestionnaireResponse,
  QuestionnaireResponseItem,
  QuestionnaireResponseItemAnswer,
} from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { cloneExact } from '../../fhir/exact-json.ts';
import { isOption, sameCoding, valueIn } from '../sdc/answer-value.ts';
import { wanted } from '../sdc/check-answer.ts';
import { plainCoding } from '../sdc/coerce.ts';
import { type Form, type FormItem, isGroup } from '../sdc/form.ts';
import { mergeItems } from '../sdc/keep-unknown.ts';
import { type Container, layOut, within } from '../sdc/places.ts';
import { issueAt } from '../sdc/response-issue.ts';
import { insertItem, setAnswers, textIn } from '../sdc/set-answers.ts';

type Answer = QuestionnaireResponseItemAnswer;

export interface AnswerInput {
  readonly linkId: string;
  readonly values?: readonly { readonly value: unknown; readonly items?: readonly unknown[] }[];
  readonly items?: readonly unknown[];
}

/**
 * A copy of the response with the answers: what is not named stays.
 * @throws Fault unprocessable with everything that cannot be an answer, each by its linkIds
 */
export function withAnswers(
  form: Form,
  given: QuestionnaireResponse,
  inputs: readonly AnswerInput[],
): QuestionnaireResponse {
  const response = cloneExact(given);
  const issues: OperationOutcomeIssue[] = [];
  const groups = new Map<FormItem, AnswerInput[]>();
  for (const input of inputs) {
    const item = form.find(input.linkId);
    if (!item) issues.push(unknown(input.linkId, form.questionnaire.title));
    else if (isInRepetition(item)) issues.push(inRepetition(item));
    else if (isGroup(item) && item.definition.repeats) groups.set(item, [...(groups.get(item) ?? []), input]);
    else put(form, response, item, input, issues);
  }
  for (const [item, repetitions] of groups) putRepetitions(form, response, item, repetitions, issues);
  if (issues.length > 0) throw refused(issues);
  return response;
}

/** linkIds that the answers speak of, also those inside. */
export function namedIn(inputs: readonly AnswerInput[]): Set<string> {
  const inside = inputs.flatMap(({ items = [], values = [] }) => [
    ...items.filter(isInput),
    ...values.flatMap((value) => (value.items ?? []).filter(isInput)),
  ]);
  return new Set([...inputs.map(({ linkId }) => linkId), ...(inside.length > 0 ? namedIn(inside) : [])]);
}

function put(
  form: Form,
  response: QuestionnaireResponse,
  item: FormItem,
  input: AnswerInput,
  issues: OperationOutcomeIssue[],
): void {
  if (isGroup(item)) {
    if (input.values)
      issues.push(issueAt(pathOf(item), 'structure', `${item.path} is a group: it has items, not values.`));
    for (const child of input.items ?? []) {
      const found = isInput(child) ? item.children.find(({ linkId }) => linkId === child.linkId) : undefined;
      if (!isInput(child) || !found) issues.push(notIn(item, child));
      else if (isGroup(found) && found.definition.repeats) {
        const same = (input.items ?? []).filter(isInput).filter(({ linkId }) => linkId === found.linkId);
        if (same[0] === child) putRepetitions(form, response, found, same, issues);
      } else put(form, response, found, child, issues);
    }
    return;
  }
  const answers = answersIn(item, input, issues);
  const [place] = [...within(layOut(form, response))].filter((one) => one.item === item);
  if (place && !setAnswers(place, answers)) {
    const sentence = `${item.path} belongs to an answer that is not given; send it with that answer.`;
    issues.push(issueAt(pathOf(item), 'business-rule', sentence));
  }
}

function putRepetitions(
  form: Form,
  response: QuestionnaireResponse,
  item: FormItem,
  repetitions: readonly AnswerInput[],
  issues: OperationOutcomeIssue[],
): void {
  const made = repetitions.flatMap((one) => itemIn(item, one, issues) ?? []);
  const container = containerOf(form, response, item);
  const before = (container.item ?? []).filter(({ linkId }) => linkId === item.linkId);
  container.item = (container.item ?? []).filter((one) => !before.includes(one));
  for (const one of mergeItems(before, made)) insertItem(container, one, item);
  if (container.item.length === 0) delete container.item;
}

/** The group that a repeating group is in; made when it is not there. */
function containerOf(form: Form, response: QuestionnaireResponse, item: FormItem): Container {
  if (!item.parent) return response;
  const outer = containerOf(form, response, item.parent);
  const there = outer.item?.find(({ linkId }) => linkId === item.parent?.linkId);
  if (there) return there;
  const group: QuestionnaireResponseItem = { linkId: item.parent.linkId, ...textIn(item.parent) };
  insertItem(outer, group, item.parent);
  return group;
}

/** A whole item with all that is in it; undefined when nothing is. */
function itemIn(
  item: FormItem,
  input: AnswerInput,
  issues: OperationOutcomeIssue[],
): QuestionnaireResponseItem | undefined {
  const head = { linkId: item.linkId, ...textIn(item) };
  if (!isGroup(item)) {
    const answer = answersIn(item, input, issues);
    return answer.length > 0 ? { ...head, answer } : undefined;
  }
  const inside = itemsIn(item, input.items ?? [], issues);
  return inside.length > 0 ? { ...head, item: inside } : undefined;
}

function itemsIn(parent: FormItem, items: readonly unknown[], issues: OperationOutcomeIssue[]) {
  const made = items.flatMap((child) => {
    const found = isInput(child) ? parent.children.find(({ linkId }) => linkId === child.linkId) : undefined;
    if (found && isInput(child)) return itemIn(found, child, issues) ?? [];
    issues.push(notIn(parent, child));
    return [];
  });
  const order = new Map(parent.children.map(({ linkId }, index) => [linkId, index]));
  return made.sort((a, b) => (order.get(a.linkId ?? '') ?? 0) - (order.get(b.linkId ?? '') ?? 0));
}

function answersIn(item: FormItem, { values = [], items }: AnswerInput, issues: OperationOutcomeIssue[]): Answer[] {
  if (items?.length)
    issues.push(
      issueAt(pathOf(item), 'structure', `${item.path} is a question: what is below it comes with its value.`),
    );
  if (item.definition.type === 'display' && values.length > 0) {
    issues.push(issueAt(pathOf(item), 'structure', `${item.path} is only shown; it takes no answer.`));
    return [];
  }
  return values.flatMap((one) => {
    const answer = toAnswer(one.value, item.definition);
    if (!answer) {
      issues.push(issueAt(pathOf(item), 'value', `${item.path} takes ${wanted(item.definition)}.`));
      return [];
    }
    const inside = one.items ? itemsIn(item, one.items, issues) : [];
    return [inside.length > 0 ? { ...answer, item: inside } : answer];
  });
}

const OF_TYPE: Readonly<Record<string, readonly [string, (value: unknown) => boolean]>> = {
  boolean: ['valueBoolean', (value) => typeof value === 'boolean'],
  integer: ['valueInteger', Number.isInteger],
  decimal: ['valueDecimal', Number.isFinite],
  date: ['valueDate', (value) => typeof value === 'string' && /^\d{4}(-\d{2}(-\d{2})?)?$/.test(value)],
  dateTime: ['valueDateTime', (value) => typeof value === 'string' && /^\d{4}(-\d{2}(-\d{2}(T\S+)?)?)?$/.test(value)],
  time: ['valueTime', (value) => typeof value === 'string' && /^\d{2}:\d{2}:\d{2}(\.\d+)?$/.test(value)],
  string: ['valueString', isText],
  text: ['valueString', isText],
  url: ['valueUri', (value) => typeof value === 'string' && /^\S+$/.test(value)],
  quantity: ['valueQuantity', (value) => typeof (value as { value?: unknown } | null)?.value === 'number'],
  reference: ['valueReference', (value) => typeof (value as { reference?: unknown } | null)?.reference === 'string'],
  attachment: ['valueAttachment', (value) => typeof value === 'object' && value !== null && !Array.isArray(value)],
};

/** Undefined for what cannot be an answer to a question of this type. */
function toAnswer(value: unknown, item: QuestionnaireItem): Answer | undefined {
  const { type = '' } = item;
  if (type === 'choice' || type === 'open-choice') return toChoice(value, item);
  const row = Object.hasOwn(OF_TYPE, type) ? OF_TYPE[type] : undefined;
  return row?.[1](value) ? ({ [row[0]]: value } as Answer) : undefined;
}

/** A coding may be as short as its code when the form has an option with it. */
function toChoice(value: unknown, item: QuestionnaireItem): Answer | undefined {
  const offered = item.answerOption ?? [];
  if (typeof value === 'object' && value !== null) {
    const { code, display } = value as { code?: unknown; display?: unknown };
    if ('reference' in value) return { valueReference: value as { reference: string } };
    if (typeof code !== 'string' && typeof display !== 'string') return undefined;
    const option = offered.find(({ valueCoding }) => sameCoding(valueCoding, value));
    return {
      valueCoding: option?.valueCoding
        ? { ...plainCoding(option.valueCoding), ...plainCoding(value) }
        : plainCoding(value),
    };
  }
  const ways: Answer[] =
    typeof value === 'number'
      ? [{ valueInteger: value }]
      : typeof value === 'string'
        ? [{ valueString: value }, { valueDate: value }, { valueTime: value }]
        : [];
  const chosen = ways.find((way) => offered.some((option) => isOption(way, option)));
  return chosen ?? (ways[0] && valueIn(ways[0])?.value !== '' ? ways[0] : undefined);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function isInput(value: unknown): value is AnswerInput {
  if (typeof value !== 'object' || value === null) return false;
  const { linkId, values, items, ...more } = value as Record<string, unknown>;
  const isList = (list: unknown) => list === undefined || Array.isArray(list);
  const areValues =
    values === undefined ||
    (Array.isArray(values) &&
      values.every(
        (one) => typeof one === 'object' && one !== null && 'value' in one && isList((one as AnswerInput).items),
      ));
  return typeof linkId === 'string' && areValues && isList(items) && Object.keys(more).length === 0;
}

function isInRepetition(item: FormItem): boolean {
  for (let outer = item.parent; outer; outer = outer.parent) {
    if (outer.definition.repeats && isGroup(outer)) return true;
  }
  return false;
}

const pathOf = ({ path }: FormItem) => path.split('/');

function unknown(linkId: string, title = 'the form'): OperationOutcomeIssue {
  const issue = issueAt([linkId], 'not-found', '');
  return { ...issue, details: { text: `The item is not in ${title}.` } };
}

function inRepetition(item: FormItem): OperationOutcomeIssue {
  return issueAt(
    pathOf(item),
    'structure',
    `${item.path} is in a group that repeats; send the group with all that is in it.`,
  );
}

function notIn(parent: FormItem, child: unknown): OperationOutcomeIssue {
  const linkId = isInput(child) ? [child.linkId] : [];
  return issueAt(
    [...pathOf(parent), ...linkId],
    'structure',
    `${parent.path} has no such item, or it is not written as {linkId, values, items}.`,
  );
}

export function refused(issues: OperationOutcomeIssue[]): Fault {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new Fault('unprocessable', `${first?.details?.text ?? 'The answers cannot be taken.'}${more}`, { issues });
}

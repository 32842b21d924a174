// One answer against its question: type, options, bounds, length.
import type {
  Coding,
  OperationOutcomeIssue,
  Questionnaire,
  QuestionnaireItem,
  QuestionnaireResponseItemAnswer,
} from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { wholeMatch } from '../../fhir/terminology/linear-regex.ts';
import { optionFor, sameCoding, VALUE_KEYS, valueIn } from './answer-value.ts';
import { orderOf } from './enablement.ts';
import { EXT, extensionOf, numberIn } from './extensions.ts';
import type { FormItem } from './form.ts';

export type CodeTest = (valueSet: string, coding: Coding) => boolean | undefined;

interface Finding {
  readonly code: OperationOutcomeIssue['code'];
  readonly text: string;
}

/** @param hasCode asked for value sets that the form does not contain */
export function checkAnswer(
  { definition, path }: FormItem,
  answer: QuestionnaireResponseItemAnswer,
  questionnaire: Questionnaire,
  hasCode?: CodeTest,
): Finding[] {
  const found = valueIn(answer);
  if (!found) return [];
  const { key, value } = found;
  const allowed = VALUE_KEYS[definition.type ?? ''] ?? [];
  if (!allowed.includes(key)) {
    return [{ code: 'value', text: `${path} takes ${wanted(definition)}.` }];
  }
  return [
    ...option(definition, path, answer, questionnaire, hasCode),
    ...bounds(definition, path, value),
    ...length(definition, path, value),
  ];
}

const WANTED: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  decimal: 'a number',
  integer: 'a whole number',
  date: 'a date',
  dateTime: 'a date and time',
  time: 'a time of day',
  string: 'words',
  text: 'words',
  url: 'a URL',
  choice: 'one of its options',
  'open-choice': 'one of its options or words',
  attachment: 'a file',
  reference: 'a reference',
  quantity: 'a quantity with its unit',
};

/** What a question takes, for a sentence. */
export const wanted = ({ type }: QuestionnaireItem): string => WANTED[type ?? ''] ?? 'no answer';

function option(
  item: QuestionnaireItem,
  path: string,
  answer: QuestionnaireResponseItemAnswer,
  questionnaire: Questionnaire,
  hasCode: CodeTest | undefined,
): Finding[] {
  const { valueCoding } = answer;
  const free = item.type === 'open-choice' && (answer.valueString !== undefined || valueCoding !== undefined);
  if (item.answerOption?.length) {
    return free || optionFor(item, answer)
      ? []
      : [{ code: 'code-invalid', text: `${path} takes only one of its options.` }];
  }
  if (!item.answerValueSet || !valueCoding || free) return [];
  const known = item.answerValueSet.startsWith('#')
    ? inContained(questionnaire, item.answerValueSet, valueCoding)
    : hasCode?.(item.answerValueSet, valueCoding);
  return known === false
    ? [{ code: 'code-invalid', text: `${path} takes only a code from ${item.answerValueSet}.` }]
    : [];
}

function inContained(questionnaire: Questionnaire, reference: string, coding: Coding): boolean | undefined {
  const found = questionnaire.contained?.find(({ id }) => `#${id}` === reference);
  if (found?.resourceType !== 'ValueSet') return undefined;
  const listed = found.expansion?.contains;
  if (listed) return listed.some((one) => sameCoding(one, coding));
  const includes = found.compose?.include ?? [];
  if (includes.some(({ concept, system }) => !concept && (system === undefined || system === coding.system)))
    return undefined;
  return includes.some(({ system, concept }) =>
    concept?.some(({ code }) => sameCoding({ ...(system ? { system } : {}), code: code ?? '' }, coding)),
  );
}

function bounds(item: QuestionnaireItem, path: string, value: unknown): Finding[] {
  const edges = [
    { url: EXT.minValue, word: 'less than the least', isBroken: (order: number) => order < 0 },
    { url: EXT.maxValue, word: 'more than the most', isBroken: (order: number) => order > 0 },
  ];
  return edges.flatMap(({ url, word, isBroken }) => {
    const extension = extensionOf(item, url);
    const edge = extension && valueIn(extension)?.value;
    const order = edge === undefined ? undefined : orderOf(numberOrValue(value, edge), edge);
    return order !== undefined && isBroken(order)
      ? [{ code: 'value' as const, text: `${path} is ${word} that the form allows.` }]
      : [];
  });
}

/** A bound of a quantity may be a plain number in the quantity's unit. */
function numberOrValue(value: unknown, edge: unknown): unknown {
  const inside = (value as { value?: unknown } | null)?.value;
  return typeof edge === 'number' && typeof inside === 'number' ? inside : value;
}

function length(item: QuestionnaireItem, path: string, value: unknown): Finding[] {
  const findings: Finding[] = [];
  if (typeof value === 'string') {
    const size = [...value].length;
    const least = numberIn(item, EXT.minLength);
    if (item.maxLength !== undefined && size > item.maxLength) {
      findings.push({ code: 'too-long', text: `${path} takes at most ${item.maxLength} characters.` });
    }
    if (least !== undefined && size < least)
      findings.push({ code: 'value', text: `${path} takes at least ${least} characters.` });
    const pattern = extensionOf(item, EXT.regex)?.valueString;
    if (pattern !== undefined && !matches(pattern, value)) {
      findings.push({ code: 'value', text: `${path} is not written in the form that is asked for.` });
    }
  }
  const places = numberIn(item, EXT.maxDecimalPlaces);
  if (typeof value === 'number' && places !== undefined && (String(value).split('.')[1] ?? '').length > places) {
    findings.push({ code: 'value', text: `${path} takes at most ${places} decimal places.` });
  }
  return findings;
}

/** A pattern that is not understood rules nothing out. */
function matches(pattern: string, text: string): boolean {
  try {
    return wholeMatch(pattern)(text);
  } catch (error) {
    if (error instanceof Fault) return true;
    throw error;
  }
}

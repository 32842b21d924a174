// Answers sent as an application sends them, stored as FHIR and shown again are the same answers: for any form, and with
// every element, extension and unknown content of the response kept.
import type { Questionnaire, QuestionnaireItem, QuestionnaireResponse } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FormNode } from '../../../src/care/assessments/assessment-schema.ts';
import { formView } from '../../../src/care/assessments/form-view.ts';
import { type AnswerInput, withAnswers } from '../../../src/care/assessments/read-answers.ts';
import { checkResponse } from '../../../src/care/sdc/check-response.ts';
import { openForm } from '../../../src/care/sdc/form.ts';
import { NOW } from './forms.ts';

const CODES = ['a', 'b', 'c'];
const coding = (code: string) => ({ system: 'urn:codes', code, display: code.toUpperCase() });
const text = fc.string({ minLength: 1, maxLength: 20 }).filter((one) => one.trim() !== '');
const date = fc.integer({ min: 1, max: 28 }).map((day) => `2026-02-${String(day).padStart(2, '0')}`);

/** What each type of question is answered with. */
const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  boolean: fc.boolean(),
  integer: fc.integer({ min: -1000, max: 1000 }),
  decimal: fc.integer({ min: -1000, max: 1000 }).map((n) => n / 8),
  date,
  dateTime: date.map((day) => `${day}T10:00:00Z`),
  time: fc.constantFrom('10:00:00', '23:59:59'),
  string: text,
  text,
  url: fc.constant('https://example.org/a'),
  choice: fc.constantFrom(...CODES.map(coding)),
  'open-choice': fc.oneof(fc.constantFrom(...CODES.map(coding)), text),
  quantity: fc
    .integer({ min: 0, max: 99 })
    .map((value) => ({ value, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' })),
  reference: fc.constant({ reference: 'Practitioner/1', display: 'N' }),
};

interface Case {
  readonly item: QuestionnaireItem;
  readonly answer: fc.Arbitrary<AnswerInput | undefined>;
}

let count = 0;

function question(depth: number): fc.Arbitrary<Case> {
  const below = depth > 0 ? fc.array(question(depth - 1), { maxLength: 1 }) : fc.constant<Case[]>([]);
  return fc
    .record({ type: fc.constantFrom(...Object.keys(VALUES)), repeats: fc.boolean(), below })
    .map(({ type, repeats, below: inside }) => {
      const linkId = `q${count++}`;
      const options =
        type === 'choice' || type === 'open-choice'
          ? { answerOption: CODES.map((code) => ({ valueCoding: coding(code) })) }
          : {};
      const value = fc
        .record({ value: VALUES[type] ?? text, items: itemsOf(inside) })
        .map(({ value: one, items }) => ({ value: one, ...(items.length > 0 ? { items } : {}) }));
      const most = repeats ? 3 : 1;
      const answer = fc
        .array(value, { maxLength: most })
        .map((values) => (values.length > 0 ? { linkId, values } : undefined));
      return {
        item: {
          linkId,
          type: type as 'string',
          repeats,
          ...options,
          ...(inside.length > 0 ? { item: inside.map(({ item }) => item) } : {}),
        },
        answer,
      };
    });
}

function group(depth: number): fc.Arbitrary<Case> {
  const child = depth > 0 ? fc.oneof(question(1), group(depth - 1)) : question(1);
  return fc.array(child, { minLength: 1, maxLength: 3 }).map((children) => {
    const linkId = `g${count++}`;
    return {
      item: { linkId, type: 'group' as const, item: children.map(({ item }) => item) },
      answer: itemsOf(children).map((items) => (items.length > 0 ? { linkId, items } : undefined)),
    };
  });
}

function repeating(depth: number): fc.Arbitrary<Case> {
  return group(depth).map(({ item, answer }) => ({ item: { ...item, repeats: true }, answer }));
}

function itemsOf(children: readonly Case[]): fc.Arbitrary<AnswerInput[]> {
  const repeated = children.map(({ item, answer }) =>
    item.type === 'group' && item.repeats ? fc.array(answer, { maxLength: 3 }) : answer.map((one) => [one]),
  );
  return fc.tuple(...repeated).map((lists) => lists.flat().filter((one) => one !== undefined));
}

const anyForm = fc.array(fc.oneof(question(1), group(2), repeating(1)), { minLength: 1, maxLength: 4 }).chain((cases) =>
  itemsOf(cases).map((answers) => ({
    questionnaire: {
      resourceType: 'Questionnaire',
      url: 'urn:form',
      status: 'active',
      item: cases.map(({ item }) => item),
    } as Questionnaire,
    answers,
  })),
);

/** The answers that a view shows, as an application would send them. */
function shown(nodes: readonly FormNode[]): AnswerInput[] {
  return nodes.flatMap(({ linkId, type, values, items }): AnswerInput[] => {
    if (type === 'group') {
      const inside = shown(items ?? []);
      return inside.length > 0 ? [{ linkId, items: inside }] : [];
    }
    const each = (values ?? []).map((one) => {
      const inside = shown(one.items ?? []);
      return { value: one.value, ...(inside.length > 0 ? { items: inside } : {}) };
    });
    return each.length > 0 ? [{ linkId, values: each }] : [];
  });
}

const EMPTY: QuestionnaireResponse = {
  resourceType: 'QuestionnaireResponse',
  questionnaire: 'urn:form',
  status: 'in-progress',
};

test('answers → response → view → answers is identity, and what was answered is valid', () => {
  fc.assert(
    fc.property(anyForm, ({ questionnaire, answers }) => {
      const form = openForm(questionnaire);
      const response = withAnswers(form, EMPTY, answers);
      expect(shown(formView(form, response, NOW))).toEqual(answers);
      expect(checkResponse(form, response, NOW, { complete: false })).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test('sending what is shown changes nothing, and loses nothing of what others wrote', () => {
  const extension = [{ url: 'urn:theirs', valueString: 'x' }];
  const mark = <T>(value: T): T => {
    if (Array.isArray(value)) return value.map(mark) as T;
    if (typeof value !== 'object' || value === null) return value;
    const marked = Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, /^value/.test(key) ? one : mark(one)]),
    );
    return { ...marked, ...('linkId' in value ? { extension } : {}) } as T;
  };
  fc.assert(
    fc.property(anyForm, ({ questionnaire, answers }) => {
      const form = openForm(questionnaire);
      const response = { ...mark(withAnswers(form, EMPTY, answers)), extension };
      const again = withAnswers(form, response, shown(formView(form, response, NOW)));
      expect(again).toEqual(response);
    }),
    { numRuns: 100 },
  );
});

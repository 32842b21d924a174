// What a form does not take, row by row, each named by its linkIds.
import type { Questionnaire, QuestionnaireItem, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { checkResponse } from '../../../src/care/sdc/check-response.ts';
import { openForm } from '../../../src/care/sdc/form.ts';
import { NOW } from './forms.ts';

const CORE = 'http://hl7.org/fhir/StructureDefinition/';
const EMPTY = { resourceType: 'QuestionnaireResponse', questionnaire: 'urn:f', status: 'completed' } as const;

function check(
  items: QuestionnaireItem[],
  item: QuestionnaireResponseItem[],
  more: Partial<Questionnaire> = {},
  complete = true,
) {
  const form = openForm({ resourceType: 'Questionnaire', url: 'urn:f', status: 'active', item: items, ...more });
  const hasCode = (_: string, { code }: { code?: string }) =>
    code === 'known' ? true : code === 'unknown' ? false : undefined;
  const issues = checkResponse(form, { ...EMPTY, ...(item.length > 0 ? { item } : {}) }, NOW, { complete, hasCode });
  return issues.map(
    ({ severity, expression, details }) =>
      `${severity} ${expression?.[0]?.replaceAll(/QuestionnaireResponse|\.item\.where\(linkId = '(\w+)'\)/g, '/$1')} ${details?.text}`,
  );
}

const q = (type: QuestionnaireItem['type'], more: object = {}): QuestionnaireItem => ({ linkId: 'a', type, ...more });
const a = (...answer: object[]): QuestionnaireResponseItem[] => [{ linkId: 'a', answer }];
const ext = (name: string, value: object) => ({ extension: [{ url: `${CORE}${name}`, ...value }] });

describe('one answer', () => {
  test.each<[string, QuestionnaireItem, QuestionnaireResponseItem[], string[]]>([
    ['right', q('string'), a({ valueString: 'x' }), []],
    ['of another type', q('boolean'), a({ valueString: 'x' }), ['error //a a takes true or false.']],
    ['missing', q('string', { required: true }), [], ['error //a a needs an answer.']],
    ['twice', q('string'), a({ valueString: 'x' }, { valueString: 'y' }), ['error //a a takes at most 1 answer.']],
    [
      'too few',
      q('string', { repeats: true, ...ext('questionnaire-minOccurs', { valueInteger: 2 }) }),
      a({ valueString: 'x' }),
      ['error //a a needs at least 2 answers.'],
    ],
    [
      'too many',
      q('string', { repeats: true, ...ext('questionnaire-maxOccurs', { valueInteger: 1 }) }),
      a({ valueString: 'x' }, { valueString: 'y' }),
      ['error //a a takes at most 1 answer.'],
    ],
    ['too long', q('string', { maxLength: 2 }), a({ valueString: 'xyz' }), ['error //a a takes at most 2 characters.']],
    [
      'too short',
      q('string', ext('minLength', { valueInteger: 2 })),
      a({ valueString: 'x' }),
      ['error //a a takes at least 2 characters.'],
    ],
    [
      'in the wrong form',
      q('string', ext('regex', { valueString: '[0-9]{5}' })),
      a({ valueString: '1234' }),
      ['error //a a is not written in the form that is asked for.'],
    ],
    [
      'too small',
      q('integer', ext('minValue', { valueInteger: 1 })),
      a({ valueInteger: 0 }),
      ['error //a a is less than the least that the form allows.'],
    ],
    [
      'too late',
      q('date', ext('maxValue', { valueDate: '2026-01-01' })),
      a({ valueDate: '2026-01-02' }),
      ['error //a a is more than the most that the form allows.'],
    ],
    [
      'too exact',
      q('decimal', ext('maxDecimalPlaces', { valueInteger: 1 })),
      a({ valueDecimal: 1.25 }),
      ['error //a a takes at most 1 decimal places.'],
    ],
    [
      'no option',
      q('choice', { answerOption: [{ valueCoding: { code: 'x' } }] }),
      a({ valueCoding: { code: 'y' } }),
      ['error //a a takes only one of its options.'],
    ],
    [
      'beside the options of an open choice',
      q('open-choice', { answerOption: [{ valueCoding: { code: 'x' } }] }),
      a({ valueString: 'y' }),
      [],
    ],
    ['of a value set', q('choice', { answerValueSet: 'urn:vs' }), a({ valueCoding: { code: 'known' } }), []],
    [
      'not of a value set',
      q('choice', { answerValueSet: 'urn:vs' }),
      a({ valueCoding: { code: 'unknown' } }),
      ['error //a a takes only a code from urn:vs.'],
    ],
    ['of a value set nobody knows', q('choice', { answerValueSet: 'urn:vs' }), a({ valueCoding: { code: 'z' } }), []],
    [
      'to what is only shown',
      q('display'),
      a({ valueString: 'x' }),
      ['error //a a is only shown; it takes no answer.'],
    ],
    [
      'to a group',
      q('group', { item: [{ linkId: 'b', type: 'string' }] }),
      a({ valueString: 'x' }),
      ['error //a a is a group: it has items, not answers.'],
    ],
    [
      'to an item that is not there',
      q('string'),
      [{ linkId: 'z', answer: [{ valueString: 'x' }] }],
      ['error //z The form has no item z at the top.'],
    ],
    [
      'changed although it is fixed',
      q('string', { readOnly: true, initial: [{ valueString: 'x' }] }),
      a({ valueString: 'y' }),
      ['error //a a cannot be changed.'],
    ],
  ])('%s', (_, item, given, expected) => {
    const issues = check([item], given);
    expect(expected.length === 0 ? issues : expected.filter((one) => !issues.includes(one))).toEqual([]);
  });

  test('of a draft need not be complete', () => {
    expect(check([q('string', { required: true })], [], {}, false)).toEqual([]);
  });
});

describe('what depends on other answers', () => {
  const items = (enableBehavior: 'all' | 'any'): QuestionnaireItem[] => [
    { linkId: 'x', type: 'integer' },
    { linkId: 'y', type: 'boolean' },
    {
      ...q('string', { required: true }),
      enableBehavior,
      enableWhen: [
        { question: 'x', operator: '>', answerInteger: 3 },
        { question: 'y', operator: '=', answerBoolean: true },
      ],
    },
  ];
  const x = (valueInteger: number) => ({ linkId: 'x', answer: [{ valueInteger }] });
  const y = (valueBoolean: boolean) => ({ linkId: 'y', answer: [{ valueBoolean }] });
  test.each<['all' | 'any', QuestionnaireResponseItem[], boolean]>([
    ['all', [x(4), y(true)], true],
    ['all', [x(4), y(false)], false],
    ['any', [x(4), y(false)], true],
    ['any', [x(3), y(false)], false],
    ['any', [], false],
  ])('%s of the conditions: %j', (behavior, given, applies) => {
    expect(check(items(behavior), given)).toEqual(applies ? ['error //a a needs an answer.'] : []);
    const answered = check(items(behavior), [...given, ...a({ valueString: 'z' })]);
    expect(answered).toEqual(
      applies ? [] : ['error //a a does not apply, given the other answers; take its answer away.'],
    );
  });

  test('exists and not exists, and a question that itself does not apply counts for nothing', () => {
    const chain: QuestionnaireItem[] = [
      { linkId: 'x', type: 'integer' },
      { linkId: 'y', type: 'boolean', enableWhen: [{ question: 'x', operator: 'exists', answerBoolean: true }] },
      q('string', { required: true, enableWhen: [{ question: 'y', operator: 'exists', answerBoolean: true }] }),
    ];
    expect(check(chain, [x(1), y(true)])).toEqual(['error //a a needs an answer.']);
    expect(check(chain, [y(true)])).toEqual([
      'error //y y does not apply, given the other answers; take its answer away.',
    ]);
  });

  test('a repetition asks its own answers first', () => {
    const repeating: QuestionnaireItem[] = [
      {
        linkId: 'g',
        type: 'group',
        repeats: true,
        item: [
          { linkId: 'y', type: 'boolean' },
          q('string', { required: true, enableWhen: [{ question: 'y', operator: '=', answerBoolean: true }] }),
        ],
      },
    ];
    const given = [true, false].map((one) => ({ linkId: 'g', item: [y(one)] }));
    expect(check(repeating, given)).toEqual(['error //g/a g/a needs an answer.']);
  });
});

test('constraints of the form are told in its own words, by what they are about', () => {
  const constraint = (expression: string, severity: string) => ({
    url: `${CORE}questionnaire-constraint`,
    extension: [
      { url: 'key', valueId: 'k' },
      { url: 'severity', valueCode: severity },
      { url: 'expression', valueString: expression },
      { url: 'human', valueString: 'Give an even number.' },
    ],
  });
  const item = { ...q('integer'), extension: [constraint('answer.value mod 2 = 0', 'error')] };
  expect(check([item], a({ valueInteger: 3 }))).toEqual(['error //a a: Give an even number.']);
  expect(check([item], a({ valueInteger: 4 }))).toEqual([]);
  const root = { extension: [constraint("%resource.item.where(linkId = 'a').answer.value mod 2 = 0", 'warning')] };
  expect(check([q('integer')], a({ valueInteger: 3 }), root)).toEqual(['warning / Give an even number.']);
});

test('groups are there as often as the form says', () => {
  const group: QuestionnaireItem = {
    linkId: 'g',
    type: 'group',
    required: true,
    item: [q('string', { required: true })],
  };
  expect(check([group], [])).toEqual(
    ['error //g g must be filled in.', 'error //g/a g/a needs an answer.'].toSorted(() => -1),
  );
  const twice = [
    { linkId: 'g', item: a({ valueString: 'x' }) },
    { linkId: 'g', item: a({ valueString: 'y' }) },
  ];
  expect(check([group], twice)).toEqual(['error //g g may be there at most 1 time.']);
  expect(check([{ ...group, required: false }], [])).toEqual([]);
});

// Scores of the instruments that Baton brings along, with the cut-offs of their publications.
import { describe, expect, test } from 'vitest';
import { answer, chosen, form, response, scored } from './forms.ts';

const nine = (...counts: [number, number, number, number]) =>
  counts.flatMap((count, option) => Array(count).fill(option));

describe('PHQ-9', () => {
  const phq9 = form('phq-9');
  test.each([
    [nine(9, 0, 0, 0), 0, 'None to minimal'],
    [nine(5, 4, 0, 0), 4, 'None to minimal'],
    [nine(4, 5, 0, 0), 5, 'Mild'],
    [nine(0, 9, 0, 0), 9, 'Mild'],
    [nine(0, 8, 1, 0), 10, 'Moderate'],
    [nine(0, 4, 5, 0), 14, 'Moderate'],
    [nine(0, 3, 6, 0), 15, 'Moderately severe'],
    [nine(0, 0, 8, 1), 19, 'Moderately severe'],
    [nine(0, 0, 7, 2), 20, 'Severe'],
    [nine(0, 0, 0, 9), 27, 'Severe'],
  ])('%j is %i, %s', (options, total, severity) => {
    const made = scored(phq9, chosen(phq9, 'phq9-', options));
    expect(answer(made, 'total')).toBe(total);
    expect(answer(made, 'result')).toBe(severity);
  });

  test('has no total while a question is open', () => {
    expect(answer(scored(phq9, chosen(phq9, 'phq9-', nine(4, 4, 0, 0))), 'total')).toBeUndefined();
  });

  test('any thought of self-harm is a safety flag and a need, whatever the total', () => {
    const calm = scored(phq9, chosen(phq9, 'phq9-', [0, 0, 0, 0, 0, 0, 0, 0, 0]));
    const unsafe = scored(phq9, chosen(phq9, 'phq9-', [0, 0, 0, 0, 0, 0, 0, 0, 1]));
    expect(['need-safety', 'flag-safety', 'need-depression'].map((id) => answer(calm, id))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(['need-safety', 'flag-safety', 'need-depression'].map((id) => answer(unsafe, id))).toEqual([
      true,
      true,
      undefined,
    ]);
  });
});

test.each([
  [[0, 0], 0, 'Negative'],
  [[1, 1], 2, 'Negative'],
  [[1, 2], 3, 'Positive: go on with the PHQ-9'],
  [[3, 3], 6, 'Positive: go on with the PHQ-9'],
])('PHQ-2 %j is %i, %s', (options, total, result) => {
  const phq2 = form('phq-2');
  const made = scored(phq2, chosen(phq2, 'phq2-', options));
  expect([answer(made, 'total'), answer(made, 'result')]).toEqual([total, result]);
});

test.each([
  [[0, 1, 0, 1, 1, 1, 0], 4, 'Minimal'],
  [[1, 1, 1, 1, 1, 0, 0], 5, 'Mild'],
  [[2, 1, 1, 1, 1, 1, 2], 9, 'Mild'],
  [[2, 2, 1, 1, 1, 1, 2], 10, 'Moderate'],
  [[2, 2, 2, 2, 2, 2, 2], 14, 'Moderate'],
  [[3, 2, 2, 2, 2, 2, 2], 15, 'Severe'],
  [[3, 3, 3, 3, 3, 3, 3], 21, 'Severe'],
])('GAD-7 %j is %i, %s', (options, total, severity) => {
  const gad7 = form('gad-7');
  const made = scored(gad7, chosen(gad7, 'gad7-', options));
  expect([answer(made, 'total'), answer(made, 'result')]).toEqual([total, severity]);
});

describe('AUDIT-C', () => {
  const auditC = form('audit-c');
  const sex = (code: string) => ({
    linkId: 'sex',
    answer: [{ valueCoding: { system: 'http://hl7.org/fhir/administrative-gender', code } }],
  });
  test.each([
    ['male', [1, 1, 0], 2, 'Negative'],
    ['male', [1, 1, 1], 3, 'Negative'],
    ['male', [2, 1, 1], 4, 'Positive'],
    ['female', [1, 1, 0], 2, 'Negative'],
    ['female', [1, 1, 1], 3, 'Positive'],
    ['female', [4, 4, 4], 12, 'Positive'],
    ['unknown', [1, 1, 1], 3, 'Negative'],
  ])('%s %j is %i, %s', (gender, options, total, result) => {
    const given = chosen(auditC, 'auditc-', options);
    const made = scored(auditC, { ...given, item: [sex(gender), ...(given.item ?? [])] });
    expect([answer(made, 'total'), answer(made, 'result')]).toEqual([total, result]);
  });

  test('who never drinks has nothing else to answer', () => {
    const made = scored(auditC, chosen(auditC, 'auditc-', [0]));
    expect([answer(made, 'total'), answer(made, 'result')]).toEqual([0, 'Negative']);
  });
});

test.each([
  [[2, 2], 'LA19983-8', undefined],
  [[1, 2], 'LA19952-3', true],
  [[2, 0], 'LA19952-3', true],
])('Hunger Vital Sign %j is %s', (options, risk, need) => {
  const hvs = form('hunger-vital-sign');
  const made = scored(hvs, chosen(hvs, 'food-', options));
  expect([(answer(made, 'risk') as { code: string }).code, answer(made, 'need-food')]).toEqual([risk, need]);
});

test('AHC HRSN makes a need of each answer that shows one', () => {
  const ahc = form('ahc-hrsn');
  const options = { living: 1, place: 0, 'food-1': 2, 'food-2': 1, transport: 0, utilities: 2 };
  const item = Object.entries(options).map(([linkId, option]) => ({
    linkId,
    answer: [{ valueCoding: ahc.find(linkId)?.definition.answerOption?.[option]?.valueCoding ?? {} }],
  }));
  const made = scored(ahc, response(ahc, item));
  const needs = ahc.items
    .filter(({ linkId }) => linkId.startsWith('need-'))
    .map(({ linkId }) => [linkId, answer(made, linkId)]);
  expect(Object.fromEntries(needs)).toEqual({
    'need-housing': true,
    'need-home': undefined,
    'need-repair': true,
    'need-food': true,
    'need-transport': true,
    'need-utilities': true,
  });
});

test('the general assessment adds up help with personal care within its group', () => {
  const general = form('case-management-assessment');
  const help = ['bathing', 'dressing', 'toileting', 'moving', 'eating', 'walking'].map((name, index) => ({
    linkId: `adl-${name}`,
    answer: [{ valueCoding: general.find(`adl-${name}`)?.definition.answerOption?.[index % 3]?.valueCoding ?? {} }],
  }));
  const made = scored(
    general,
    response(general, [{ linkId: 'function', item: [...help, { linkId: 'falls', answer: [{ valueInteger: 2 }] }] }]),
  );
  expect(answer(made, 'adl-score')).toBe(6);
  expect(answer(made, 'need-falls')).toBe(true);
  expect(answer(made, 'need-care')).toBe(true);
});

import type { MedicationRequest, RequestGroup, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { madeIn } from '../../../src/care/apply/apply-pathway.ts';
import { requestGroupOf } from '../../../src/care/apply/request-group.ts';
import {
  type Action,
  ANN,
  activityOf,
  apply,
  BUSINESS,
  days,
  fhirpath,
  type Given,
  hours,
  idsOf,
  NOW,
  planOf,
  when,
  windowsOf,
  ZONE,
} from './applied.ts';

const to = (id: string, more: Partial<Action> = {}): Action => ({ id, title: `Do ${id}`, ...more });
const group = (selectionBehavior: string, ...action: Action[]): Action =>
  ({ id: 'g', title: 'G', selectionBehavior, action }) as Action;
const take = (...ids: string[]) => ({ take: new Map(ids.map((id) => [id, 1])) });
const must = { requiredBehavior: 'must' } as const;
const yes = { precheckBehavior: 'yes' } as const;
const no = { precheckBehavior: 'no' } as const;

describe('selection', () => {
  it.each<[string, Action, Given['choice'], string[]]>([
    ['all', group('all', to('a', no), to('b')), {}, ['a', 'b']],
    ['any without a choice: not the unticked', group('any', to('a'), to('b', no)), {}, ['a']],
    ['any: the chosen and what must be', group('any', to('a'), to('b'), to('c', must)), take('a'), ['a', 'c']],
    ['any, when another group was chosen in', group('any', to('a'), to('b', no)), take('z'), ['a']],
    ['all-or-none: all', group('all-or-none', to('a', no), to('b')), {}, ['a', 'b']],
    ['all-or-none: none', group('all-or-none', to('a', no), to('b', no)), {}, []],
    ['all-or-none: one chosen brings the other', group('all-or-none', to('a', no), to('b', no)), take('b'), ['a', 'b']],
    ['exactly-one: the ticked', group('exactly-one', to('a'), to('b', yes)), {}, ['b']],
    ['exactly-one: the only', group('exactly-one', to('a')), {}, ['a']],
    ['exactly-one: the chosen', group('exactly-one', to('a'), to('b', yes)), take('a'), ['a']],
    ['at-most-one: none ticked', group('at-most-one', to('a'), to('b')), {}, []],
    ['at-most-one: the chosen', group('at-most-one', to('a'), to('b')), take('b'), ['b']],
    ['one-or-more: the only', group('one-or-more', to('a', no)), {}, ['a']],
    ['one-or-more: several', group('one-or-more', to('a', yes), to('b')), {}, ['a', 'b']],
    [
      'several times',
      group('any', to('a', { cardinalityBehavior: 'multiple' })),
      { take: new Map([['a', 2]]) },
      ['a', 'a#2'],
    ],
    ['left out', group('all', to('a'), to('b')), { omit: new Map([['b', 'Done']]) }, ['a']],
    ['a group of nothing', group('all', to('a', { condition: [when('false')] })), {}, []],
  ])('%s', async (_, action, choice, ids) => {
    expect(idsOf(await apply(planOf([action]), { choice: choice ?? {} }))).toEqual(ids);
  });

  it.each<[string, Action, Given['choice'], RegExp]>([
    ['two are chosen of one', group('exactly-one', to('a'), to('b')), take('a', 'b'), /only one of a, b/],
    ['two are ticked of one', group('at-most-one', to('a', yes), to('b', yes)), {}, /only one of a, b/],
    ['nobody says which one', group('exactly-one', to('a'), to('b')), {}, /choose exactly one of a, b/],
    ['none of one or more', group('one-or-more', to('a', no), to('b', no)), {}, /choose one or more of a, b/],
    [
      'what must be is left out',
      group('all', to('a', must)),
      { omit: new Map([['a', 'x']]) },
      /action a: it must be done/,
    ],
    [
      'no reason is documented',
      group('all', to('a', { requiredBehavior: 'must-unless-documented' })),
      { omit: new Map([['a', ' ']]) },
      /only with a reason/,
    ],
    ['what is single is taken twice', group('any', to('a')), { take: new Map([['a', 2]]) }, /only once/],
  ])('is refused when %s', async (_, action, choice, message) => {
    await expect(apply(planOf([action]), { choice: choice ?? {} })).rejects.toThrow(message);
  });

  it('is left to whoever decides in a RequestGroup', async () => {
    const applied = await apply(planOf([group('exactly-one', to('a', yes), to('b'))]), { mode: 'offer' });
    expect(idsOf(applied)).toEqual(['a', 'b']);
  });
});

describe('conditions', () => {
  const smoker: Resource = {
    resourceType: 'Condition',
    id: 'c',
    subject: { reference: 'Patient/ann' },
    code: { text: 'Smoker' },
  };
  it.each([
    ["%patient.gender = 'female'", ['a']],
    ["gender = 'male'", []],
    ["%subject.id = %context.id and %resource.id = 'ann'", ['a']],
    ["%conditions.where(code.text = 'Smoker').exists()", ['a']],
    ['%patient.deceased', []],
    ['%given > 2', ['a']],
    ['%encounter.exists().not()', ['a']],
    ["%named.code.text = 'Smoker'", ['a']],
  ])('%s', async (expression, ids) => {
    const url = 'https://baton.health/fhir/StructureDefinition/pathway-variable';
    const query = {
      name: 'named',
      language: 'application/x-fhir-query' as const,
      expression: 'Condition?patient={{%patient.id}}',
    };
    const plan = planOf([to('a', { condition: [when(expression)] })], { extension: [{ url, valueExpression: query }] });
    expect(idsOf(await apply(plan, { records: [smoker], given: { given: 3 } }))).toEqual(ids);
  });

  it('start: waits as a draft; stop: is not begun', async () => {
    const actions = [
      to('waits', { condition: [when('false', 'start')] }),
      to('starts', { condition: [when('true', 'start')] }),
      to('stops', { condition: [when('true', 'stop')] }),
    ];
    const tasks = madeIn((await apply(planOf(actions))).steps).map(({ made }) => made.resource as Task);
    expect(tasks.map(({ description, status }) => [description, status])).toEqual([
      ['Do waits', 'draft'],
      ['Do starts', 'requested'],
    ]);
  });
});

describe('times, counted from Monday 23 November 2026, 10:00 in New York', () => {
  const related = (relationship: string, offsetDuration?: object, more: object = {}) => ({
    relatedAction: [
      { actionId: 'a', relationship, ...(offsetDuration ? { offsetDuration } : {}), ...more },
    ] as Action['relatedAction'],
  });
  const S = '2026-11-23T10:00:00-05:00';
  const day = (date: string) => `${date}T23:59:59-05:00`;
  it.each<[string, Partial<Action>, Partial<Action> | undefined, string]>([
    ['dateTime', { timingDateTime: '2026-12-01' }, undefined, `2026-12-01T00:00:00-05:00/${day('2026-12-01')}`],
    [
      'age',
      { timingAge: { value: 67, unit: 'years', system: 'http://unitsofmeasure.org', code: 'a' } },
      undefined,
      `2027-03-01T00:00:00-05:00/${day('2027-03-01')}`,
    ],
    [
      'period',
      { timingPeriod: { start: '2026-12-01', end: '2026-12-03' } },
      undefined,
      `2026-12-01T00:00:00-05:00/${day('2026-12-03')}`,
    ],
    ['duration in days', { timingDuration: days(3) }, undefined, `${S}/${day('2026-11-26')}`],
    ['duration in business days', { timingDuration: days(3), ...BUSINESS }, undefined, `${S}/${day('2026-11-27')}`],
    ['duration in hours', { timingDuration: hours(48) }, undefined, `${S}/2026-11-25T10:00:00-05:00`],
    [
      'range',
      { timingRange: { low: days(2), high: days(4) } },
      undefined,
      `2026-11-25T00:00:00-05:00/${day('2026-11-27')}`,
    ],
    [
      'timing',
      { timingTiming: { repeat: { boundsDuration: days(10), count: 4 } } },
      undefined,
      `${S}/${day('2026-12-03')}`,
    ],
    ['after start', { timingDuration: days(2) }, related('after-start', hours(2)), '2026-11-23T12:00:00-05:00/'],
    ['after end', { timingDuration: days(2) }, related('after-end', days(1)), '2026-11-26T00:00:00-05:00/'],
    [
      'after end, business days',
      { timingDuration: days(2) },
      related('after', days(1), BUSINESS),
      '2026-11-27T00:00:00-05:00/',
    ],
    [
      'after end, between',
      { timingDuration: days(2) },
      { relatedAction: [{ actionId: 'a', relationship: 'after-end', offsetRange: { low: days(1), high: days(2) } }] },
      `2026-11-26T00:00:00-05:00/${day('2026-11-27')}`,
    ],
    [
      'before start',
      { timingRange: { low: days(7), high: days(9) } },
      related('before-start', days(2)),
      `${S}/${day('2026-11-28')}`,
    ],
    ['before end', { timingDuration: days(5) }, related('before-end', days(1)), `${S}/${day('2026-11-27')}`],
    [
      'concurrent with start',
      { timingRange: { low: days(7) } },
      related('concurrent-with-start'),
      '2026-11-30T00:00:00-05:00/',
    ],
    ['concurrent with end', { timingDuration: days(5) }, related('concurrent-with-end'), `${S}/${day('2026-11-28')}`],
    [
      'after and within',
      { timingDuration: days(2) },
      { ...related('after-end', days(1)), timingDuration: days(3) },
      `2026-11-26T00:00:00-05:00/${day('2026-11-29')}`,
    ],
  ])('%s', async (_, first, second, expected) => {
    const actions = second ? [to('a', first), to('b', second)] : [to('a', first)];
    const windows = windowsOf(await apply(planOf(actions)));
    expect(windows[second ? 'b' : 'a']).toBe(expected);
  });

  it('a group ends with the last of its steps, also of those that do not apply', async () => {
    const actions = [
      {
        id: 'g',
        title: 'G',
        action: [
          to('x', { timingDuration: days(2) }),
          to('y', { timingDuration: days(5), condition: [when('false')] }),
        ],
      },
      to('z', { relatedAction: [{ actionId: 'g', relationship: 'after-end', offsetDuration: days(1) }] }),
    ];
    expect(windowsOf(await apply(planOf(actions))).z).toBe('2026-11-29T00:00:00-05:00/');
  });

  it('nothing is said of time where the pathway says nothing', async () => {
    expect(windowsOf(await apply(planOf([to('a')]))).a).toBe('/');
  });
});

describe('what is made', () => {
  const only = async (action: Action, given: Given = {}) =>
    madeIn((await apply(planOf([action], { goal: [{ id: 'goal', description: { text: 'Well' } }] }), given)).steps)[0]
      ?.made.resource as unknown as Record<string, unknown>;

  it.each([
    ['Task', { for: { reference: 'Patient/ann' }, instantiatesCanonical: 'urn:a:x' }],
    ['ServiceRequest', { subject: { reference: 'Patient/ann' }, status: 'active', intent: 'order' }],
    [
      'CommunicationRequest',
      { recipient: [{ reference: 'Practitioner/nurse' }], payload: [{ contentString: 'Do s' }] },
    ],
    ['MedicationRequest', { medicationCodeableConcept: { text: 'Drug' }, dosageInstruction: [{ text: 'Daily' }] }],
    ['DeviceRequest', { codeCodeableConcept: { text: 'Drug' } }],
    ['SupplyRequest', { itemCodeableConcept: { text: 'Drug' }, deliverTo: { reference: 'Patient/ann' } }],
  ] as const)('%s', async (kind, expected) => {
    const isProduct = kind !== 'Task' && kind !== 'ServiceRequest';
    const activity = activityOf('x', {
      kind,
      intent: 'order',
      participant: [{ type: 'practitioner' }],
      ...(isProduct ? { productCodeableConcept: { text: 'Drug' } } : {}),
      ...(kind === 'MedicationRequest' ? { dosage: [{ text: 'Daily' }] } : {}),
    } as never);
    const made = await only(to('s', { definitionCanonical: 'urn:a:x' }), { definitions: [activity] });
    expect(made).toMatchObject({ resourceType: kind, ...expected });
  });

  it('a Task from the action alone, from a Questionnaire and from elsewhere', async () => {
    const form = await only(to('s', { definitionCanonical: 'https://x.org/Questionnaire/q' }));
    expect(form).toMatchObject({ input: [{ valueCanonical: 'https://x.org/Questionnaire/q' }] });
    expect(await only(to('s', { definitionUri: 'https://x.org/how-to' }))).toMatchObject({
      instantiatesUri: 'https://x.org/how-to',
    });
    const reason = [{ text: 'Because' }];
    expect(
      await only(to('s', { reason, priority: 'stat', goalId: ['goal'], description: 'Long words' })),
    ).toMatchObject({
      description: 'Do s',
      priority: 'stat',
      reasonCode: { text: 'Because' },
      note: [{ text: 'Long words' }],
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal' }],
      basedOn: [{ reference: 'CarePlan/plan' }],
    });
  });

  it('goes to who has the role', async () => {
    const role = { coding: [{ system: 's', code: 'social-worker' }] };
    const members = [
      { role: [{ coding: [{ system: 's', code: 'physician' }] }], member: { reference: 'Practitioner/doc' } },
      { role: [role], member: { reference: 'PractitionerRole/sw' } },
      { member: { reference: 'RelatedPerson/son' } },
    ];
    const of = (participant: Action['participant']) => only(to('s', participant ? { participant } : {}), { members });
    expect(await of([{ type: 'practitioner', role }])).toMatchObject({
      owner: { reference: 'PractitionerRole/sw' },
      performerType: [role],
    });
    expect(await of([{ type: 'practitioner', role: { coding: [{ system: 's', code: 'none' }] } }])).toMatchObject({
      owner: { reference: 'Practitioner/nurse' },
    });
    expect(await of([{ type: 'patient' }])).toMatchObject({ owner: { reference: 'Patient/ann' } });
    expect(await of([{ type: 'related-person' }])).toMatchObject({ owner: { reference: 'RelatedPerson/son' } });
    expect(await of(undefined)).not.toHaveProperty('owner');
  });

  it.each([
    ['priority', "iif(%patient.gender = 'female', 'urgent', 'routine')", { priority: 'urgent' }],
    ['Task.description', "'Call ' & %patient.gender", { description: 'Call female' }],
    ['code.coding[0].code', "'c'", { code: { text: 'x', coding: [{ code: 'c' }] } }],
    ['code', "'words'", { code: { text: 'words' } }],
    [
      'note[0].text',
      "%patient.id & %resource.id & ' ' & %action.title & ' ' & %definition.title",
      { note: [{ text: 'ann Do s x' }] },
    ],
    ['owner', '%patient', { owner: { reference: 'Patient/ann' } }],
    ['restriction.repetitions', '1 + 2', { restriction: { repetitions: 3 } }],
    ['restriction.period.end', '%due', { restriction: { period: { end: '2026-11-26T04:59:59Z' } } }],
    ['input[0].valueString', "'v'", { input: [{ valueString: 'v' }] }],
    ['priority', '{}', { priority: 'routine' }],
  ])('dynamic value %s = %s', async (path, expression, expected) => {
    const activity = activityOf('x', { dynamicValue: [{ path, expression: fhirpath(expression) }] });
    const action = to('s', { definitionCanonical: 'urn:a:x', timingDuration: days(2) });
    const made = await only(action, { definitions: [activity] });
    expect(made).toMatchObject(expected);
  });

  it('a choice has one type', async () => {
    const activity = activityOf('x', {
      kind: 'ServiceRequest',
      dynamicValue: [{ path: 'occurrence', expression: fhirpath('@2026-12-24T10:00:00Z') }],
    });
    const action = to('s', { definitionCanonical: 'urn:a:x', timingDuration: days(2) });
    const made = (await only(action, { definitions: [activity] })) as unknown as ServiceRequest;
    expect([made.occurrenceDateTime, made.occurrencePeriod]).toEqual(['2026-12-24T10:00:00Z', undefined]);
  });

  it('nested definitions are groups with ids and goals of their own', async () => {
    const inner = planOf(
      [to('a', { goalId: ['goal'] }), to('b', { relatedAction: [{ actionId: 'a', relationship: 'after' }] })],
      {
        url: 'urn:inner',
        name: 'Inner',
        goal: [{ id: 'goal', description: { text: 'Inner goal' } }],
      },
    );
    const outer = planOf([{ id: 'n', title: 'N', definitionCanonical: 'urn:inner' }], {
      goal: [{ id: 'goal', description: { text: 'Outer goal' } }],
    });
    const applied = await apply(outer, { definitions: [inner] });
    expect(idsOf(applied)).toEqual(['n.a', 'n.b']);
    expect(applied.goals.map(({ resource }) => resource.description?.text)).toEqual(['Outer goal', 'Inner goal']);
  });

  it('goals have their targets and address what they are about', async () => {
    const code = { coding: [{ system: 's', code: 'hf' }] };
    const plan = planOf([to('a')], {
      goal: [
        {
          id: 'g',
          description: { text: 'Light' },
          addresses: [code],
          target: [{ measure: { text: 'Weight' }, detailQuantity: { value: 70 }, due: days(30) }],
        },
      ],
    });
    const records: Resource[] = [{ resourceType: 'Condition', id: 'c', code, subject: { reference: 'Patient/ann' } }];
    const [goal] = (await apply(plan, { records })).goals;
    expect(goal?.resource).toMatchObject({
      lifecycleStatus: 'active',
      addresses: [{ reference: 'Condition/c' }],
      target: [{ measure: { text: 'Weight' }, detailQuantity: { value: 70 }, dueDate: '2026-12-23' }],
    });
  });

  it('a RequestGroup keeps groups, relations and what is still to be watched', async () => {
    const plan = planOf([
      {
        ...group(
          'any',
          to('a'),
          to('b', {
            relatedAction: [{ actionId: 'a', relationship: 'after' }],
            condition: [when('true'), when('true', 'start')],
          }),
        ),
        groupingBehavior: 'logical-group',
      },
    ]);
    const applied = await apply(plan, { mode: 'offer' });
    const clock = {
      start: NOW,
      zone: ZONE,
      calendar: { name: 'c', isBusinessDay: () => true, holidayOn: () => undefined },
    };
    const made: RequestGroup = requestGroupOf(
      applied,
      {
        key: 'k',
        mode: 'offer',
        choice: {},
        clock,
        now: NOW,
        team: { patient: {}, members: [] },
        subject: { reference: 'Patient/ann' },
      },
      ({ step }) => ({ reference: `#${step.id}` }),
    );
    expect(made.action).toMatchObject([
      {
        selectionBehavior: 'any',
        groupingBehavior: 'logical-group',
        action: [
          { id: 'a', resource: { reference: '#a' } },
          { id: 'b', relatedAction: [{ actionId: 'a', relationship: 'after' }], condition: [{ kind: 'start' }] },
        ],
      },
    ]);
  });
});

describe('what cannot be carried out is refused with pathway and action', () => {
  const inner = planOf([{ id: 'back', definitionCanonical: 'urn:p' }], { url: 'urn:inner', name: 'Inner' });
  it.each<[string, Action | Action[], RegExp]>([
    [
      'a cycle of definitions',
      { id: 'a', definitionCanonical: 'urn:inner' },
      /contains itself: urn:p → urn:inner → urn:p/,
    ],
    [
      'an unknown definition',
      { id: 'a', definitionCanonical: 'urn:none' },
      /Pathway P, action a: there is no definition urn:none/,
    ],
    [
      'an unknown language',
      to('a', {
        condition: [{ kind: 'applicability', expression: { language: 'text/prolog' as never, expression: 'x' } }],
      }),
      /action a: the language/,
    ],
    [
      'inline CQL',
      to('a', { condition: [{ kind: 'applicability', expression: { language: 'text/cql', expression: '1 < 2' } }] }),
      /not written inline/,
    ],
    [
      'CQL without a library',
      to('a', { condition: [{ kind: 'applicability', expression: { language: 'text/cql', expression: 'IsOld' } }] }),
      /needs a library/,
    ],
    ['no boolean', to('a', { condition: [when("'yes'")] }), /action a: the condition must yield true or false/],
    ['several booleans', to('a', { condition: [when('true | false')] }), /must yield true or false/],
    ['a broken expression', to('a', { condition: [when('1 +')] }), /Pathway P, action a: /],
    [
      'an unknown variable',
      to('a', { condition: [when('%nobody.exists()')] }),
      /action a: the variable %nobody is not known/,
    ],
    [
      'an offset to nowhere',
      to('a', { relatedAction: [{ actionId: 'x', relationship: 'after' }] }),
      /related to x, which is no action/,
    ],
    [
      'an offset to itself',
      to('a', { relatedAction: [{ actionId: 'a', relationship: 'after' }] }),
      /related to itself/,
    ],
    [
      'two that wait for each other',
      [
        to('a', { relatedAction: [{ actionId: 'b', relationship: 'after' }] }),
        to('b', { relatedAction: [{ actionId: 'a', relationship: 'after' }] }),
      ],
      /waits for itself: a → b → a/,
    ],
    [
      'a step that waits for its group',
      { ...group('all', to('a', { relatedAction: [{ actionId: 'g', relationship: 'after-end' }] })) },
      /waits for itself/,
    ],
    [
      'a deadline before the beginning',
      [to('a'), to('b', { relatedAction: [{ actionId: 'a', relationship: 'before-start', offsetDuration: days(2) }] })],
      /action b: its offsets are impossible/,
    ],
    [
      'a negative offset',
      [to('a'), to('b', { relatedAction: [{ actionId: 'a', relationship: 'after', offsetDuration: days(-1) }] })],
      /cannot be negative/,
    ],
    ['half a day', to('a', { timingDuration: days(0.5) }), /must be a whole number/],
    ['a length without a unit', to('a', { timingDuration: { value: 3 } }), /needs a value and a UCUM unit/],
    ['a StructureMap', to('a', { transform: 'urn:map' }), /transform \(StructureMap\) is not supported/],
    ['a kind that cannot be made', { id: 'a', definitionCanonical: 'urn:a:claim' }, /its kind must be one of Task/],
    [
      'a path that is none',
      { id: 'a', definitionCanonical: 'urn:a:x', dynamicValue: [{ path: 'colour', expression: fhirpath("'red'") }] },
      /Task has no element colour/,
    ],
    [
      'a path into the prototype',
      {
        id: 'a',
        definitionCanonical: 'urn:a:x',
        dynamicValue: [{ path: '__proto__.polluted', expression: fhirpath("'x'") }],
      },
      /has no element/,
    ],
    [
      'a path to the constructor',
      {
        id: 'a',
        definitionCanonical: 'urn:a:x',
        dynamicValue: [{ path: 'constructor.prototype.x', expression: fhirpath("'x'") }],
      },
      /Task has no element constructor/,
    ],
    [
      'another patient',
      {
        id: 'a',
        definitionCanonical: 'urn:a:x',
        dynamicValue: [{ path: 'for.reference', expression: fhirpath("'Patient/bob'") }],
      },
      /for is set by applying/,
    ],
    [
      'a value of another type',
      { id: 'a', definitionCanonical: 'urn:a:x', dynamicValue: [{ path: 'priority', expression: fhirpath('5') }] },
      /priority takes code/,
    ],
    [
      'several values for one',
      {
        id: 'a',
        definitionCanonical: 'urn:a:x',
        dynamicValue: [{ path: 'priority', expression: fhirpath("'stat' | 'asap'") }],
      },
      /takes one value/,
    ],
    [
      'a gap in a list',
      {
        id: 'a',
        definitionCanonical: 'urn:a:x',
        dynamicValue: [
          { path: 'reasonReference.display', expression: fhirpath("'x'") },
          { path: 'note[3]', expression: fhirpath("'x'") },
        ],
      },
      /would leave a gap/,
    ],
    ['an unknown goal', to('a', { goalId: ['none'] }), /action a: there is no goal none/],
    ['two actions of one id', [to('a'), to('a')], /two actions with this id/],
    ['an action that says nothing', { id: 'a' }, /needs a definition, actions, or a title/],
    ['an age without a birth date', to('a', { timingAge: { value: 70, code: 'a' } }), /no date of birth/],
  ])('%s', async (_, action, message) => {
    const definitions = [inner, activityOf('x'), activityOf('claim', { kind: 'Claim' })];
    const { birthDate: _born, ...unborn } = ANN;
    const plan = planOf([action].flat());
    const attempt = apply(plan, { definitions: [plan, ...definitions], patient: unborn });
    await expect(attempt).rejects.toMatchObject({ kind: 'unprocessable', message: expect.stringMatching(message) });
  });

  it('and nothing was polluted', () => {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(({} as MedicationRequest).status).toBeUndefined();
  });
});

// Validation against R4 itself: what is right passes, and each mistake is found, alone, where it is.
import { beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../../src/fhir/definitions.ts';
import { createValidator, type Validator } from '../../../src/fhir/validation/validator.ts';
import { EXAMPLES, type ExampleType } from './examples.ts';
import { spoil } from './spoil.ts';

let validator: Validator;
beforeAll(() => {
  validator = createValidator(loadDefinitions());
});

describe('valid resources', () => {
  test.each(Object.keys(EXAMPLES) as ExampleType[])('%s', (type) => {
    const resource = structuredClone(EXAMPLES[type]);
    expect(validator.validate(resource)).toEqual([]);
    expect(resource).toEqual(EXAMPLES[type]);
  });
});

type Mistake = [type: ExampleType, path: string, value: unknown, code: string, expression: string];

const MISTAKES: Record<string, Mistake[]> = {
  structure: [
    ['Patient', 'nickname', 'P', 'structure', 'Patient.nickname'],
    ['Patient', 'name.0.nick', 'P', 'structure', 'Patient.name[0].nick'],
    ['Patient', 'name', { family: 'X' }, 'structure', 'Patient.name'],
    ['Patient', 'gender', ['female'], 'structure', 'Patient.gender'],
    ['Patient', 'active', 'true', 'structure', 'Patient.active'],
    ['Patient', 'active', null, 'structure', 'Patient.active'],
    ['Patient', 'birthDate', 19500228, 'structure', 'Patient.birthDate'],
    ['Patient', 'name.0', null, 'structure', 'Patient.name[0]'],
    ['Patient', 'telecom', [], 'structure', 'Patient.telecom'],
    ['Patient', 'name.0', {}, 'structure', 'Patient.name[0]'],
    ['Patient', 'name.0', { id: 'only' }, 'structure', 'Patient.name[0]'],
    ['Patient', 'name.0.given', ['Pat', null], 'structure', 'Patient.name[0].given[1]'],
    ['Patient', '_birthDate', 'x', 'structure', 'Patient.birthDate'],
    ['Patient', 'deceasedDateTime', '2026', 'structure', 'Patient.deceased'],
    ['Patient', 'contained.0', { id: 'gp', name: 'Practice' }, 'structure', 'Patient.contained[0].resourceType'],
    ['Patient', 'contained.0.beds', 3, 'structure', 'Patient.contained[0].beds'],
    ['Observation', 'component.0.valueQuantity.value', '120', 'structure', 'Observation.component[0].value.value'],
    ['Observation', 'valueReference', { reference: 'Patient/1' }, 'structure', 'Observation.valueReference'],
    ['Bundle', 'entry.0.resource.resourceType', 'Person2', 'structure', 'Bundle.entry[0].resource.resourceType'],
    ['Bundle', 'entry.0.resource.active', 1, 'structure', 'Bundle.entry[0].resource.active'],
    ['Goal', 'target.0.detailQuantity.code', 5, 'structure', 'Goal.target[0].detail.code'],
  ],
  required: [
    ['CarePlan', 'status', undefined, 'required', 'CarePlan.status'],
    ['CarePlan', 'subject', undefined, 'required', 'CarePlan.subject'],
    ['CarePlan', 'activity.1.detail.status', undefined, 'required', 'CarePlan.activity[1].detail.status'],
    ['Task', 'intent', undefined, 'required', 'Task.intent'],
    ['Task', 'input.0.type', undefined, 'required', 'Task.input[0].type'],
    ['Task', 'input.0.valuePositiveInt', undefined, 'required', 'Task.input[0].value'],
    ['Encounter', 'class', undefined, 'required', 'Encounter.class'],
    ['Bundle', 'entry.0.request.method', undefined, 'required', 'Bundle.entry[0].request.method'],
    [
      'Communication',
      'payload.0',
      { id: 'x', extension: [{ url: 'u', valueCode: 'c' }] },
      'required',
      'Communication.payload[0].content',
    ],
    ['Communication', 'payload.0', {}, 'structure', 'Communication.payload[0]'],
  ],
  value: [
    ['Patient', 'birthDate', '2026-02-30', 'value', 'Patient.birthDate'],
    ['Patient', 'birthDate', '1900-02-29', 'value', 'Patient.birthDate'],
    ['Patient', 'birthDate', '1950-2-1', 'value', 'Patient.birthDate'],
    ['Patient', 'birthDate', '1950-01-01T10:00:00Z', 'value', 'Patient.birthDate'],
    ['Patient', 'id', 'not an id', 'value', 'Patient.id'],
    ['Patient', 'id', 'x'.repeat(65), 'value', 'Patient.id'],
    ['Patient', 'meta.lastUpdated', '2026-11-24T09:00:00', 'value', 'Patient.meta.lastUpdated'],
    ['Patient', 'meta.lastUpdated', '2026-11-24', 'value', 'Patient.meta.lastUpdated'],
    ['Patient', 'meta.lastUpdated', '2026-11-24T24:00:00Z', 'value', 'Patient.meta.lastUpdated'],
    ['Patient', 'meta.lastUpdated', '2026-11-24T09:00:00+15:00', 'value', 'Patient.meta.lastUpdated'],
    ['Patient', 'identifier.0.system', 'has space', 'value', 'Patient.identifier[0].system'],
    ['Patient', 'identifier.0.system', 'urn:uuid:1', 'value', 'Patient.identifier[0].system'],
    ['Patient', 'identifier.0.system', 'urn:oid:a.b', 'value', 'Patient.identifier[0].system'],
    ['Patient', 'name.0.family', '', 'value', 'Patient.name[0].family'],
    ['Patient', 'name.0.family', ' \n', 'value', 'Patient.name[0].family'],
    ['Patient', 'name.0.given.1', '\u0000', 'value', 'Patient.name[0].given[1]'],
    ['Patient', 'photo', [{ data: 'abc', contentType: 'image/png' }], 'value', 'Patient.photo[0].data'],
    ['Patient', 'telecom.0.rank', 0, 'value', 'Patient.telecom[0].rank'],
    ['Patient', 'multipleBirthInteger', 3e9, 'value', 'Patient.multipleBirth'],
    ['Patient', 'gender', ' female', 'value', 'Patient.gender'],
    ['CarePlan', 'period.start', '2026-13', 'value', 'CarePlan.period.start'],
    ['Encounter', 'period.start', '2026-11-20T08:00-05:00', 'value', 'Encounter.period.start'],
    ['Patient', 'managingOrganization.reference', 'Patient/p2', 'value', 'Patient.managingOrganization'],
    [
      'Patient',
      'managingOrganization.reference',
      'https://x.example/fhir/Location/1',
      'value',
      'Patient.managingOrganization',
    ],
    ['Patient', 'managingOrganization', { type: 'Device', display: 'd' }, 'value', 'Patient.managingOrganization'],
    ['CarePlan', 'goal.0.reference', 'Task/1', 'value', 'CarePlan.goal[0]'],
    ['CarePlan', 'subject', { reference: 'Patient/1', type: 'Group' }, 'value', 'CarePlan.subject'],
    [
      'Patient',
      'contained.1',
      { resourceType: 'Organization', id: 'gp', name: 'Twin' },
      'value',
      'Patient.contained[1].id',
    ],
    ['Patient', 'name.1.id', 'same', 'none', ''],
    [
      'Patient',
      'address',
      [
        { id: 'same', city: 'A' },
        { id: 'same', city: 'B' },
      ],
      'value',
      'Patient.address[1].id',
    ],
    [
      'Observation',
      'referenceRange',
      [{ low: { value: 1, comparator: '<' } }],
      'invariant',
      'Observation.referenceRange[0].low.comparator',
    ],
    ['Patient', 'managingOrganization.reference', 'Group?name=x', 'value', 'Patient.managingOrganization'],
  ],
  codes: [
    ['Patient', 'gender', 'F', 'code-invalid', 'Patient.gender'],
    ['Task', 'status', 'done', 'code-invalid', 'Task.status'],
    ['CarePlan', 'activity.1.detail.kind', 'Patient', 'code-invalid', 'CarePlan.activity[1].detail.kind'],
    ['Condition', 'clinicalStatus.coding.0.code', 'ill', 'code-invalid', 'Condition.clinicalStatus'],
    ['Condition', 'clinicalStatus.coding.0.system', 'http://else', 'code-invalid', 'Condition.clinicalStatus'],
    ['Condition', 'clinicalStatus', { text: 'active' }, 'code-invalid', 'Condition.clinicalStatus'],
    ['Patient', 'photo', [{ contentType: 'not a mime' }], 'code-invalid', 'Patient.photo[0].contentType'],
    ['Bundle', 'entry.0.request.method', 'post', 'code-invalid', 'Bundle.entry[0].request.method'],
  ],
  invariants: [
    ['CarePlan', 'activity.0.detail', { status: 'scheduled' }, 'invariant', 'CarePlan.activity[0]'],
    ['CarePlan', 'period.end', '2026-11-23', 'invariant', 'CarePlan.period'],
    ['Patient', 'contact', [{ gender: 'male' }], 'invariant', 'Patient.contact[0]'],
    ['Patient', 'managingOrganization.reference', '#nobody', 'invariant', 'Patient.managingOrganization'],
    ['Patient', 'telecom.0.system', undefined, 'invariant', 'Patient.telecom[0]'],
    ['Patient', 'text.div', '<p>x</p>', 'invariant', 'Patient.text.div'],
    ['Patient', 'text.div', '<div><a href="java&#115;cript:x()">x</a></div>', 'invariant', 'Patient.text.div'],
    ['Patient', 'text.div', '<div><a href="java\tscript:x()">x</a></div>', 'invariant', 'Patient.text.div'],
    ['Patient', 'text.div', '<div><a href="javascript&colon;x()">x</a></div>', 'invariant', 'Patient.text.div'],
    ['Patient', 'contained.0.meta', { versionId: '1' }, 'invariant', 'Patient'],
    ['Observation', 'dataAbsentReason', { text: 'x' }, 'none', ''],
    ['Goal', 'target.0.measure', undefined, 'invariant', 'Goal.target[0]'],
    ['Task', 'lastModified', '2026-11-24T10:00:00Z', 'invariant', 'Task'],
    ['RiskAssessment', 'prediction.0.probabilityDecimal', 101, 'invariant', 'RiskAssessment.prediction[0]'],
    ['Bundle', 'entry.0.request', undefined, 'invariant', 'Bundle'],
    ['Bundle', 'total', 3, 'invariant', 'Bundle'],
    [
      'Patient',
      '_birthDate.extension.0',
      { url: 'urn:x', valueCode: 'c', extension: [{ url: 'u', valueCode: 'c' }] },
      'invariant',
      'Patient.birthDate.extension[0]',
    ],
  ],
};

for (const [kind, mistakes] of Object.entries(MISTAKES)) {
  describe(kind, () => {
    test.each(mistakes)('%s.%s = %j', (type, path, value, code, expression) => {
      const issues = validator.validate(spoil(EXAMPLES[type], path, value));
      const errors = issues.filter(({ severity }) => severity === 'error');
      const found = [...new Set(errors.map((issue) => `${issue.code} at ${issue.expression?.[0]}`))];
      expect(found).toEqual(code === 'none' ? [] : [`${code} at ${expression}`]);
      for (const issue of errors) expect(issue.details?.text).toMatch(/^.{10,300}$/);
    });
  });
}

describe('what only looks wrong', () => {
  test.each<[ExampleType, string, unknown]>([
    ['CarePlan', 'period', { start: '2026-11', end: '2026-11-24' }],
    ['CarePlan', 'subject', { display: 'somebody' }],
    ['CarePlan', 'subject', { reference: 'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9' }],
    ['CarePlan', '_status', { id: 's', extension: [{ url: 'u', valueCode: 'x' }] }],
    ['Patient', '_gender', { id: 'g' }],
    ['Patient', 'name.0', { given: ['A', null], _given: [null, { extension: [{ url: 'u', valueString: 's' }] }] }],
    ['Patient', 'extension', [{ url: 'u', extension: [{ url: 'v', valueQuantity: { value: 1e-7 } }] }]],
    ['Patient', 'birthDate', '2024-02-29'],
    ['Condition', 'code', { text: 'something' }],
  ])('%s.%s = %j', (type, path, value) => {
    expect(validator.validate(spoil(EXAMPLES[type], path, value))).toEqual([]);
  });
});

describe('an extension has a value or extensions, never both and never neither (ext-1)', () => {
  const [url, part] = ['urn:test:extension', { url: 'part', valueCode: 'x' }];
  const companion = { extension: [part] };
  test.each([
    [{ valueCode: 'x' }, true],
    [{ valueBoolean: false }, true],
    [{ extension: [part] }, true],
    [{ _valueCode: companion }, true],
    [{ valueCode: 'x', _valueCode: companion }, true],
    [{ id: 'only' }, false],
    [{ valueCode: 'x', extension: [part] }, false],
    [{ _valueCode: companion, extension: [part] }, false],
  ])('%j', (content, holds) => {
    const issues = validator.validate({ resourceType: 'Basic', code: { text: 'c' }, extension: [{ url, ...content }] });
    const broken = issues.some(({ details }) => details?.text?.includes('(ext-1)'));
    expect(broken).toBe(!holds);
  });
});

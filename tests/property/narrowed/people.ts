// A small population that refers to each other across patients, with the people who work on it. Ids and codes are those of
// the oracle's pools, so that its queries meet them.
import type { Resource } from '@medplum/fhirtypes';
import fc, { type Arbitrary } from 'fast-check';
import { TEST_BASE_URL } from '../../support/store-rules.ts';
import { CODES, DATES, STRINGS, SYSTEMS } from '../oracle/pools.ts';

export interface Write {
  readonly type: string;
  readonly id: string;
  /** Absent: deleted. */
  readonly resource?: Resource;
}

type Json = Record<string, unknown>;

export const PATIENTS = ['r0', 'r1', 'r2', 'r3'];
const ORGANIZATIONS = ['r0', 'r1'];
const CARE_ROLE = 'https://baton.health/fhir/CodeSystem/care-role';

/** Who works where, as what. */
export const STAFF = [
  { id: 'r0', role: 'case-manager', organization: 'r0' },
  { id: 'r1', role: 'supervisor', organization: 'r1' },
  { id: 'r2', role: 'community-partner', organization: 'r1' },
  { id: 'r3', role: 'physician', organization: 'r0' },
] as const;

const oneOf = <T>(...values: readonly T[]): Arbitrary<T> => fc.constantFrom(...values);
const maybe = <T>(arbitrary: Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });

/** Every form that leads to the same resource. */
function to(type: string, ids: readonly string[]): Arbitrary<Json> {
  return fc.tuple(oneOf(...ids), oneOf('', '', '', '', 'absolute', 'version')).map(([id, form]) => {
    const literal = `${type}/${id}`;
    if (form === 'absolute') return { reference: `${TEST_BASE_URL}/${literal}` };
    return { reference: form === 'version' ? `${literal}/_history/1` : literal };
  });
}

const IDS = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'];
const patient = to('Patient', [...PATIENTS, 'nobody']);
const staff = to('Practitioner', ['r0', 'r1', 'r2', 'r3']);
const organization = to('Organization', ORGANIZATIONS);
const worker = fc.oneof(staff, organization);
const contained = fc.constant({ reference: '#c1' });
const subject = fc.oneof({ weight: 9, arbitrary: patient }, { weight: 1, arbitrary: contained });
const some = <T>(arbitrary: Arbitrary<T>) => fc.array(arbitrary, { minLength: 1, maxLength: 2 });
const coding = fc.record({ system: oneOf(...SYSTEMS), code: oneOf(...CODES) });
const concept = fc.record({ coding: some(coding) });
const period = fc.record({ start: oneOf(...DATES) });

/** Elements of each type; one that is undefined is not there. */
const ELEMENTS: Readonly<Record<string, Readonly<Record<string, Arbitrary<unknown>>>>> = {
  Patient: {
    active: maybe(fc.boolean()),
    name: maybe(some(fc.record({ family: oneOf(...STRINGS) }))),
    birthDate: maybe(oneOf('1999-01-01', '2000-02-29', '2024-01-01')),
    managingOrganization: maybe(organization),
    generalPractitioner: fc.option(some(staff), { nil: undefined, freq: 1 }),
    link: fc.option(some(fc.record({ other: patient, type: fc.constant('seealso') })), { nil: undefined, freq: 1 }),
  },
  Task: {
    status: oneOf('requested', 'accepted', 'completed', 'draft'),
    intent: fc.constant('order'),
    code: maybe(concept),
    for: maybe(subject),
    focus: maybe(fc.oneof(patient, to('CarePlan', IDS))),
    owner: maybe(worker),
    requester: maybe(fc.oneof(patient, staff)),
    basedOn: maybe(some(to('CarePlan', IDS))),
    partOf: maybe(some(to('Task', IDS))),
    restriction: maybe(fc.record({ period })),
  },
  CarePlan: {
    status: oneOf('active', 'draft'),
    intent: fc.constant('plan'),
    subject: fc.oneof(patient, patient, to('Group', IDS)),
    category: maybe(some(concept)),
    careTeam: maybe(some(to('CareTeam', IDS))),
    activity: maybe(some(fc.record({ reference: to('Task', IDS) }))),
  },
  Condition: {
    subject,
    asserter: maybe(fc.oneof(patient, staff)),
    category: maybe(some(concept)),
    code: maybe(concept),
    onsetDateTime: maybe(oneOf(...DATES)),
  },
  Observation: {
    status: oneOf('final', 'amended'),
    code: concept,
    category: maybe(some(concept)),
    subject: maybe(subject),
    performer: maybe(some(fc.oneof(patient, staff))),
    effectiveDateTime: maybe(oneOf(...DATES)),
    valueString: maybe(oneOf(...STRINGS)),
  },
  CareTeam: {
    status: oneOf('active', 'active', 'inactive'),
    subject: maybe(patient),
    participant: maybe(some(fc.record({ member: fc.oneof(worker, worker, patient) }))),
  },
  Group: {
    type: fc.constant('person'),
    actual: fc.constant(true),
    code: maybe(concept),
    member: maybe(some(fc.record({ entity: patient }))),
  },
  List: {
    status: fc.constant('current'),
    mode: fc.constant('working'),
    subject: maybe(patient),
    source: maybe(fc.oneof(patient, staff)),
    entry: maybe(some(fc.record({ item: fc.oneof(to('Task', IDS), to('Observation', IDS), patient) }))),
  },
  Provenance: {
    recorded: fc.constant('2024-01-01T00:00:00Z'),
    target: some(fc.oneof(patient, to('Task', IDS))),
    agent: some(fc.record({ who: fc.oneof(staff, patient) })),
  },
  Encounter: {
    status: oneOf('in-progress', 'finished'),
    class: coding,
    subject: maybe(patient),
    participant: maybe(some(fc.record({ individual: staff }))),
    serviceProvider: maybe(organization),
    period: maybe(period),
  },
  EpisodeOfCare: {
    status: oneOf('active', 'finished'),
    patient,
    careManager: maybe(staff),
    managingOrganization: maybe(organization),
  },
  Communication: {
    status: fc.constant('completed'),
    subject: maybe(patient),
    sender: maybe(fc.oneof(worker, patient)),
    recipient: maybe(some(fc.oneof(worker, patient))),
  },
  RelatedPerson: { active: maybe(fc.boolean()), patient },
};

export const CARE_TYPES = Object.keys(ELEMENTS);
export const TYPES = [...CARE_TYPES, 'Organization', 'Practitioner', 'PractitionerRole'];

const meta = fc.record({ tag: some(coding), security: some(coding) }, { requiredKeys: [] });

/** A resource of one of `CARE_TYPES`, without id. */
export function resourceOf(type: string): Arbitrary<Json> {
  return fc.record({ meta: maybe(meta), ...ELEMENTS[type] }).map((elements) => {
    const filled = Object.fromEntries(Object.entries(elements).filter(([, value]) => value !== undefined));
    const inside = JSON.stringify(filled).includes('"#c1"')
      ? { contained: [{ resourceType: 'Patient', id: 'c1' }] }
      : {};
    return { resourceType: type, ...filled, ...inside };
  });
}

function directory(): Write[] {
  const organizations = ORGANIZATIONS.map((id) => ({ resourceType: 'Organization', id, name: id }));
  const people = STAFF.flatMap(({ id, role, organization: at }) => [
    { resourceType: 'Practitioner', id, name: [{ family: STRINGS[0] }] },
    {
      resourceType: 'PractitionerRole',
      id,
      active: true,
      practitioner: { reference: `Practitioner/${id}` },
      organization: { reference: `Organization/${at}` },
      code: [{ coding: [{ system: CARE_ROLE, code: role }] }],
    },
  ]);
  return [...organizations, ...people].map((resource) => asWrite(resource.resourceType, resource.id, resource));
}

function asWrite(type: string, id: string, json: Json | undefined): Write {
  return { type, id, ...(json ? { resource: { ...json, id } as unknown as Resource } : {}) };
}

/** The directory, all patients, and of each other type a few, some of them changed, deleted or revived. */
export function populationArbitrary(size: number): Arbitrary<Write[]> {
  const patients = fc.tuple(...PATIENTS.map((id) => resourceOf('Patient').map((json) => asWrite('Patient', id, json))));
  const others = CARE_TYPES.filter((type) => type !== 'Patient').map((type) =>
    fc.array(
      fc
        .tuple(oneOf(...IDS), fc.option(resourceOf(type), { nil: undefined, freq: 9 }))
        .map(([id, json]) => asWrite(type, id, json)),
      { minLength: size, maxLength: size * 2 },
    ),
  );
  return fc.tuple(patients, fc.tuple(...others)).chain(([first, rest]) => {
    const all = [...directory(), ...first, ...rest.flat()];
    return fc.shuffledSubarray(all, { minLength: all.length });
  });
}

// A case management agency for acceptance: a nurse, a colleague, a supervisor and a community partner, each with a SMART token
// for their own role, and three patients as an EHR has sent them.
import { type ApiServer, serveApi } from '../server/api/api-client.ts';
import type { Answer, Json, Method } from '../server/serve.ts';

const ROLE = 'https://baton.health/fhir/CodeSystem/care-role';
const SCT = 'http://snomed.info/sct';
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';

export type Person = 'nora' | 'hal' | 'vera' | 'paula';

/** The parts of views that the story looks into. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into views freely
export type View = any;

export interface Agency extends ApiServer {
  /** A command that is carried out, or a query that is answered, by a person. @throws when it is refused */
  does(who: Person, method: Method, path: string, body?: object): Promise<View>;
  /** A request by a person, whatever comes of it. */
  asks(who: Person, method: Method, path: string, body?: object): ReturnType<ApiServer['api']>;
  /** Reads as FHIR, with full access. */
  read(reference: string): Promise<Json>;
  /** Everything of a type that a search finds. */
  all(type: string, criteria?: string): Promise<Json[]>;
  day(days: number): string;
  at(hours: number): string;
}

export async function openAgency(): Promise<Agency> {
  const baton = await serveApi();
  const now = baton.temp.clock.now();
  const at = (hours: number) => now.add({ hours }).toString({ smallestUnit: 'second' });
  const day = (days: number) => at(24 * days).slice(0, 10);
  await baton.put(...staff(day), ...patients(at));
  const people: readonly Person[] = ['nora', 'hal', 'vera', 'paula'];
  const tokens = Object.fromEntries(
    await Promise.all(people.map(async (id) => [id, await baton.tokenOf(`Practitioner/${id}`, 'user/*.cruds')])),
  ) as Record<Person, string>;
  const asks: Agency['asks'] = (who, method, path, body) =>
    baton.api(method, path, { as: tokens[who], ...(body ? { body } : {}) });
  return {
    ...baton,
    at,
    day,
    asks,
    async does(who, method, path, body) {
      const answer = await asks(who, method, path, body);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      return answer.json;
    },
    async read(reference) {
      const answer = await baton.fhir('GET', `/${reference}`);
      if (answer.status !== 200) throw new Error(`${reference}: ${answer.status}`);
      return answer.json;
    },
    async all(type, criteria = '') {
      const found: Json[] = [];
      let path: string | undefined = `/${type}?_count=200&${criteria}`;
      while (path !== undefined) {
        const { json, status, text }: Answer = await baton.fhir('GET', path);
        if (status !== 200) throw new Error(text);
        found.push(...(json.entry ?? []).flatMap(({ resource }) => (resource ? [resource] : [])));
        path = json.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\/R4/, '');
      }
      return found;
    },
  };
}

const person = (id: string, role: string, organization: string, more: object = {}) => [
  { resourceType: 'Practitioner', id, name: [{ family: id, given: ['Test'] }], ...more },
  {
    resourceType: 'PractitionerRole',
    id: `${id}-role`,
    active: true,
    practitioner: { reference: `Practitioner/${id}` },
    organization: { reference: `Organization/${organization}` },
    code: [{ coding: [{ system: ROLE, code: role }] }],
  },
];

function staff(day: Agency['day']) {
  const nurse = {
    qualification: [
      {
        code: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0360', code: 'RN' }] },
        period: { end: day(400) },
      },
    ],
  };
  return [
    ...['clinic', 'pantry'].map((id) => ({ resourceType: 'Organization', id, active: true, name: id })),
    ...person('nora', 'case-manager', 'clinic', nurse),
    ...person('hal', 'case-manager', 'clinic', nurse),
    ...person('vera', 'supervisor', 'clinic'),
    ...person('paula', 'community-partner', 'pantry'),
    { resourceType: 'Practitioner', id: 'drew', name: [{ family: 'drew', given: ['Test'] }] },
  ];
}

function patients(at: Agency['at']) {
  const patient = (id: string, birthDate: string) => ({
    resourceType: 'Patient',
    id,
    active: true,
    identifier: [{ system: 'urn:test:mrn', value: id }],
    name: [{ family: 'Example', given: [id] }],
    gender: 'female',
    birthDate,
    address: [{ use: 'home', state: 'NY' }],
    managingOrganization: { reference: 'Organization/clinic' },
  });
  const condition = (id: string, of: string, code: string, text: string) => ({
    resourceType: 'Condition',
    id,
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
    },
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] },
    ],
    code: { coding: [{ system: SCT, code }], text },
    subject: { reference: `Patient/${of}` },
    recordedDate: at(-300),
  });
  const lisinopril = { coding: [{ system: RXNORM, code: '314076' }], text: 'Lisinopril 10 MG Oral Tablet' };
  return [
    patient('heart', '1941-05-01'),
    patient('hungry', '1979-03-04'),
    patient('frail', '1936-11-12'),
    condition('hf', 'heart', '84114007', 'Heart failure'),
    condition('hunger', 'hungry', '733423003', 'Food insecurity'),
    condition('frailty', 'frail', '248279007', 'Frailty'),
    {
      resourceType: 'Encounter',
      id: 'stay',
      status: 'finished',
      class: {
        system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
        code: 'IMP',
        display: 'inpatient encounter',
      },
      type: [{ text: 'Inpatient stay' }],
      subject: { reference: 'Patient/heart' },
      period: { start: at(-240), end: at(-48) },
    },
    {
      resourceType: 'MedicationStatement',
      id: 'at-home',
      status: 'active',
      medicationCodeableConcept: lisinopril,
      subject: { reference: 'Patient/heart' },
      effectivePeriod: { start: at(-2_000) },
      dosage: [{ text: '5 mg daily', doseAndRate: [{ doseQuantity: { value: 5, unit: 'mg' } }] }],
    },
    {
      resourceType: 'MedicationRequest',
      id: 'at-discharge',
      status: 'active',
      intent: 'order',
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/medicationrequest-category', code: 'discharge' }] },
      ],
      medicationCodeableConcept: lisinopril,
      subject: { reference: 'Patient/heart' },
      encounter: { reference: 'Encounter/stay' },
      requester: { reference: 'Practitioner/drew' },
      authoredOn: at(-50),
      dosageInstruction: [{ text: '10 mg daily', doseAndRate: [{ doseQuantity: { value: 10, unit: 'mg' } }] }],
    },
    {
      resourceType: 'RelatedPerson',
      id: 'daughter',
      active: true,
      patient: { reference: 'Patient/frail' },
      relationship: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'DAU' }], text: 'Daughter' },
      ],
      name: [{ family: 'Example', given: ['Rosa'] }],
    },
  ];
}

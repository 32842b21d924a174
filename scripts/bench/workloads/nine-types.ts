// One resource of each of W1's nine types, as JSON text without the opening brace, type and id.
import { concept, ICD10, LOINC, UCUM } from '../population/resource.ts';

const subject = { reference: 'Patient/bench-1' };
const organization = { reference: 'Organization/bench-1' };
const practitioner = { reference: 'Practitioner/bench-1' };
const claimType = concept('http://terminology.hl7.org/CodeSystem/claim-type', 'professional');
const money = (value: number) => ({ value, currency: 'USD' });
const insurance = [{ focal: true, sequence: 1, coverage: { reference: 'Coverage/bench-1' } }];
const service = concept('http://www.ama-assn.org/go/cpt', '99495', 'Transitional care management');

const NINE: Readonly<Record<string, object>> = {
  Patient: {
    identifier: [{ system: 'urn:bench:mrn', value: 'W1' }],
    active: true,
    name: [{ use: 'official', family: 'Chalmers', given: ['Petra', 'Jane'] }],
    telecom: [{ system: 'phone', value: '+1 555 0100', use: 'mobile', rank: 1 }],
    gender: 'female',
    birthDate: '1951-12-25',
    address: [{ use: 'home', line: ['534 Erewhon St'], city: 'PleasantVille', state: 'VT', postalCode: '39999' }],
    managingOrganization: organization,
  },
  Location: {
    identifier: [{ system: 'urn:bench:location', value: 'W1' }],
    status: 'active',
    name: 'South Wing, second floor',
    mode: 'instance',
    address: { line: ['Galapagosweg 91'], city: 'Den Burg', postalCode: '91054', country: 'NLD' },
    position: { longitude: -83.69, latitude: 42.25 },
    managingOrganization: organization,
  },
  Organization: {
    identifier: [{ system: 'urn:bench:organization', value: 'W1' }],
    active: true,
    type: [concept('http://terminology.hl7.org/CodeSystem/organization-type', 'prov', 'Healthcare Provider')],
    name: 'Valley Home Health',
    telecom: [{ system: 'phone', value: '+1 555 0101' }],
    address: [{ line: ['3300 Washtenaw Avenue'], city: 'Ann Arbor', state: 'MI', postalCode: '48104' }],
  },
  Practitioner: {
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '9941339108' }],
    active: true,
    name: [{ family: 'Careful', given: ['Adam'], prefix: ['Dr'] }],
    gender: 'male',
    qualification: [{ code: { text: 'Registered nurse' } }],
  },
  Encounter: {
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'HH' },
    subject,
    participant: [{ individual: practitioner }],
    period: { start: '2026-02-01T09:00:00Z' },
    reasonCode: [concept(ICD10, 'I50.23')],
    serviceProvider: organization,
  },
  Observation: {
    status: 'final',
    category: [concept('http://terminology.hl7.org/CodeSystem/observation-category', 'vital-signs')],
    code: concept(LOINC, '8867-4', 'Heart rate'),
    subject,
    performer: [practitioner],
    effectiveDateTime: '2026-02-01T09:30:00Z',
    valueQuantity: { value: 72, unit: 'beats/minute', system: UCUM, code: '/min' },
  },
  MedicationRequest: {
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: concept('http://www.nlm.nih.gov/research/umls/rxnorm', '313782', 'Acetaminophen 325 MG'),
    subject,
    authoredOn: '2026-02-01',
    requester: practitioner,
    dosageInstruction: [{ text: 'One tablet as needed, at most four a day', asNeededBoolean: true }],
  },
  Claim: {
    status: 'active',
    type: claimType,
    use: 'claim',
    patient: subject,
    billablePeriod: { start: '2026-02-01', end: '2026-02-28' },
    created: '2026-03-01',
    provider: organization,
    priority: concept('http://terminology.hl7.org/CodeSystem/processpriority', 'normal'),
    diagnosis: [{ sequence: 1, diagnosisCodeableConcept: concept(ICD10, 'I50.23') }],
    insurance,
    item: [{ sequence: 1, productOrService: service, servicedDate: '2026-02-03', net: money(203.5) }],
    total: money(203.5),
  },
  ExplanationOfBenefit: {
    status: 'active',
    type: claimType,
    use: 'claim',
    patient: subject,
    created: '2026-03-02',
    insurer: organization,
    provider: organization,
    outcome: 'complete',
    insurance: insurance.map(({ focal, coverage }) => ({ focal, coverage })),
    item: [
      {
        sequence: 1,
        productOrService: service,
        servicedDate: '2026-02-03',
        adjudication: [
          {
            category: concept('http://terminology.hl7.org/CodeSystem/adjudication', 'benefit', 'Benefit Amount'),
            amount: money(162.8),
          },
        ],
      },
    ],
    total: [
      { category: concept('http://terminology.hl7.org/CodeSystem/adjudication', 'submitted'), amount: money(203.5) },
    ],
  },
};

/** Type, and the rest of its JSON text after the id. */
export const NINE_TYPES: readonly (readonly [type: string, rest: string])[] = Object.entries(NINE).map(
  ([type, body]) => [type, JSON.stringify(body).slice(1)],
);

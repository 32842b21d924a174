// The searches that a US Core client sends, and values for them that only one resource of a patient's record has.
// https://hl7.org/fhir/us/core/general-requirements.html

/** Values that only Ann's resource has among those of its type that are Ann's. */
const VALUES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  CarePlan: {
    category: ['http://hl7.org/fhir/us/core/CodeSystem/careplan-category|assess-plan', 'assess-plan'],
    status: ['active', 'active,on-hold'],
    date: ['2026-03', 'ge2026-03-01', 'gt2026-03-01', 'lt2026-04-01', 'le2026-03-10'],
  },
  CareTeam: { status: ['active', 'proposed,active'], role: ['http://snomed.info/sct|224535009', '224535009'] },
  Goal: {
    'lifecycle-status': ['active', 'planned,active'],
    'target-date': ['2026-06-30', 'ge2026-06-30', 'lt2026-07-01'],
    description: ['http://snomed.info/sct|281004', '281004,1'],
  },
  ServiceRequest: {
    category: ['http://snomed.info/sct|409073007'],
    code: ['http://loinc.org|24627-2', '24627-2'],
    authored: ['2026-03-02', 'gt2026-03-01', 'le2026-03-02'],
    status: ['active'],
  },
  Condition: {
    category: ['http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis'],
    'clinical-status': ['remission', 'active,remission'],
    encounter: ['Encounter/ann-enc', 'ann-enc'],
    code: ['http://snomed.info/sct|84114007'],
    'onset-date': ['2026-02-01', 'ge2026', 'lt2026-02-02'],
    'abatement-date': ['2026-03-05', 'gt2026-03-04'],
    'recorded-date': ['2026-02-02', 'le2026-02-02'],
    'asserted-date': ['2026-02-03', 'ge2026-02-03'],
    _lastUpdated: ['gt2020-01-01'],
  },
  Encounter: {
    date: ['2026-03-01', 'ge2026-03-01', 'lt2026-03-02'],
    class: ['http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP', 'IMP,AMB'],
    type: ['http://snomed.info/sct|183807002'],
    status: ['finished'],
    location: ['Location/ward', 'ward'],
    'discharge-disposition': ['http://terminology.hl7.org/CodeSystem/discharge-disposition|home', 'home,snf'],
    identifier: ['http://hospital.example/visits|V-ann'],
    _lastUpdated: ['gt2020-01-01'],
  },
  QuestionnaireResponse: {
    status: ['completed'],
    authored: ['2026-03-03', 'ge2026-03-03', 'lt2026-03-04'],
    questionnaire: ['http://forms.example/phq-9'],
  },
};

/** Parameters that are asked for together with the patient, by type. */
export const MATRIX: Readonly<Record<string, readonly (readonly string[])[]>> = {
  CarePlan: [['category'], ['category', 'status'], ['category', 'date'], ['category', 'status', 'date']],
  CareTeam: [['status'], ['role']],
  Goal: [[], ['lifecycle-status'], ['target-date'], ['description']],
  ServiceRequest: [[], ['category'], ['code'], ['category', 'authored'], ['code', 'authored'], ['status']],
  Condition: [
    [],
    ['category'],
    ['clinical-status'],
    ['category', 'clinical-status'],
    ['category', 'encounter'],
    ['code'],
    ['onset-date'],
    ['abatement-date'],
    ['recorded-date'],
    ['asserted-date'],
    ['_lastUpdated'],
  ],
  Encounter: [
    [],
    ['date'],
    ['class'],
    ['type'],
    ['status'],
    ['location'],
    ['discharge-disposition'],
    ['identifier'],
    ['_lastUpdated'],
  ],
  QuestionnaireResponse: [[], ['status'], ['authored'], ['questionnaire']],
};

export const PATIENT_SEARCHES = [
  '_id=ann',
  'identifier=http://hospital.example/mrn|ann',
  'name=Annabel',
  'birthdate=1950-02-03&name=annabel',
  'gender=female&name=Annabel',
  'birthdate=1950-02-03&family=Anders',
  'family=Anders&gender=female',
  'birthdate=ge1950&birthdate=lt1951',
  'race=2106-3',
  'ethnicity=2186-5',
];

/** Parameters of the matrix that R4 does not have: they come with the guide. */
export const OF_THE_GUIDE: ReadonlySet<string> = new Set([
  'CareTeam.role',
  'Condition.asserted-date',
  'Encounter.discharge-disposition',
  'Goal.description',
  'Patient.ethnicity',
  'Patient.race',
]);

/** Queries with every combination of one value per parameter, each begun by `&`. */
export function combinations(type: string, codes: readonly string[]): string[] {
  const [code, ...rest] = codes;
  if (code === undefined) return [''];
  return (VALUES[type]?.[code] ?? []).flatMap((value) =>
    combinations(type, rest).map((others) => `&${code}=${value}${others}`),
  );
}

// Epic as of May 2026: abilities and parameters from its sandbox's CapabilityStatement (CS), codes from its documented list
// of errors. No _lastUpdated, no history, no conditional interactions, no versions, no batch.
import type { TypeRules, VendorRules } from './vendor-rules.ts';

/** `_id` goes only with paging and includes. */
const ALONE = { alone: ['_id'] } as const;

const readable = (search: string, rules: Partial<TypeRules> = {}): TypeRules => ({
  can: 'read search',
  search: `_id ${search}`.trim(),
  ...ALONE,
  ...rules,
});

const writable = (abilities: string, search: string, rules: Partial<TypeRules> = {}): TypeRules => ({
  ...readable(search, rules),
  can: `read search ${abilities}`,
});

const TYPES: Record<string, TypeRules> = {
  AllergyIntolerance: writable(
    'create',
    'clinical-status patient asserter category code criticality date identifier last-date manifestation onset recorder route severity type verification-status',
  ),
  Appointment: readable(
    'date identifier patient service-category status actor appointment-type based-on location part-status practitioner reason-code reason-reference service-type slot specialty supporting-info',
  ),
  CarePlan: readable(
    'activity-date category encounter part-of patient status subject activity-code activity-reference based-on care-team condition date goal identifier instantiates-canonical intent performer replaces',
    { needs: [['_id'], ['patient', 'category'], ['subject', 'category']] },
  ),
  CareTeam: readable('patient status subject category date encounter identifier participant', {
    values: { status: ['active'] },
    finds: { status: ['active'] },
  }),
  Communication: writable(
    'create',
    'based-on category encounter part-of patient subject identifier instantiates-canonical medium received recipient sender sent status',
  ),
  Condition: writable(
    'create',
    'abatement-date category clinical-status code encounter onset-date patient recorded-date subject abatement-string asserter body-site evidence evidence-detail identifier onset-info severity stage verification-status',
  ),
  Consent: readable(
    'category patient status action actor consentor data date identifier organization period purpose scope security-label source-reference',
  ),
  Coverage: readable(
    'beneficiary patient class-type class-value dependent identifier payor policy-holder status subscriber type',
  ),
  Device: readable(
    'device-name manufacturer model patient udi-carrier udi-di identifier location organization status type',
  ),
  DocumentReference: writable(
    'create update',
    'author category date encounter patient period status subject type authenticator contenttype custodian description event facility format identifier language related relatesto relation security-label setting',
    { createNeeds: ['subject', 'type', 'content', 'context.encounter'] },
  ),
  Encounter: readable(
    'class date identifier patient subject account appointment based-on diagnosis episode-of-care location location-period part-of participant participant-type practitioner reason-code reason-reference service-provider special-arrangement status type',
  ),
  EpisodeOfCare: readable('patient status type care-manager condition date identifier incoming-referral organization'),
  Flag: readable('encounter patient subject author date identifier'),
  Goal: readable('category lifecycle-status patient start-date subject achievement-status identifier target-date'),
  Group: readable(''),
  List: readable('code encounter identifier patient subject date empty-reason item notes source status title'),
  Location: readable(
    'type address address-city address-country address-postalcode address-state address-use endpoint identifier name operational-status organization partof status',
  ),
  MedicationRequest: readable(
    'category date intent patient status subject authoredon code encounter identifier intended-dispenser intended-performer intended-performertype medication priority requester',
  ),
  Observation: writable(
    'create update',
    'based-on category code date focus patient subject combo-code combo-data-absent-reason combo-value-concept component-code component-data-absent-reason component-value-concept data-absent-reason derived-from device encounter has-member identifier method part-of performer specimen status value-concept value-date value-string',
    { createNeeds: ['subject', 'code'] },
  ),
  Organization: readable(''),
  Patient: writable(
    'create',
    'address address-city address-postalcode address-state birthdate family gender given identifier name telecom active address-country address-use death-date email general-practitioner language link organization phone phonetic',
    { cap: 100 },
  ),
  Practitioner: readable(
    'address address-city address-postalcode address-state family given identifier name active address-country address-use communication email gender phone phonetic telecom',
  ),
  PractitionerRole: readable(
    'email identifier location organization phone practitioner role specialty telecom active date endpoint service',
  ),
  Procedure: writable(
    'create update',
    'category code date identifier patient subject based-on encounter instantiates-canonical location part-of performer reason-code reason-reference status',
  ),
  Provenance: { can: 'read', search: '' },
  Questionnaire: readable(''),
  QuestionnaireResponse: writable(
    'create',
    'encounter patient subject author authored based-on identifier part-of questionnaire source status',
  ),
  RelatedPerson: readable(
    'patient active address address-city address-country address-postalcode address-state address-use birthdate email gender identifier name phone phonetic relationship telecom',
  ),
  ServiceRequest: writable(
    'create update',
    'authored category code encounter identifier patient requester status subject based-on body-site instantiates-canonical intent occurrence performer performer-type priority replaces requisition specimen',
  ),
  Task: writable(
    'update',
    'code encounter focus patient status subject authored-on based-on business-status group-identifier identifier intent modified owner part-of performer period priority requester',
  ),
};

const fatal = (status: number, code: string, own: string) => ({ status, code, own });

export const EPIC_RULES: VendorRules = {
  name: 'epic',
  software: { name: 'Epic', version: 'May 2026' },
  tenant: 'interconnect-fhir-oauth',
  path: (tenant) => `/${tenant}/api/FHIR/R4`,
  types: TYPES,
  systemAbilities: [],
  formats: ['json'],
  patchFormats: [],
  versions: false,
  ifMatch: 'honoured',
  conditional: false,
  returnsBody: false,
  strictAccept: false,
  unknownParameters: 'ignored',
  paging: {
    link: (type, token) => `/${type}?sessionID=${token}`,
    parameter: 'sessionID',
    page: 100,
    most: 1000,
    liveSeconds: 600,
    loose: false,
  },
  tokens: { seconds: 3600, algorithms: ['RS384'], scopes: 'v1', secret: false },
  ids: 'opaque',
  ownSystem: 'urn:oid:1.2.840.114350.1.13.0.1.7.2.657369',
  refusals: {
    'not-found': fatal(404, 'not-found', '4102'),
    deleted: fatal(410, 'deleted', '4103'),
    merged: fatal(301, 'processing', '4107'),
    'no-parameters': fatal(400, 'required', '4110'),
    'parameter-missing': fatal(400, 'required', '4111'),
    'parameter-combination': fatal(400, 'invalid', '4112'),
    'page-expired': fatal(400, 'processing', '4113'),
    'parameter-value': fatal(400, 'value', '4115'),
    'element-missing': fatal(400, 'required', '4104'),
    scope: fatal(403, 'forbidden', '4118'),
    restricted: fatal(403, 'suppressed', '4130'),
    quota: fatal(400, 'throttled', '4135'),
    duplicate: fatal(400, 'duplicate', '59141'),
    'reference-unknown': fatal(400, 'not-found', '59144'),
    'not-mapped': fatal(400, 'business-rule', '59187'),
  },
  notices: {
    'nothing-found': { code: 'processing', own: '4101', text: 'The request found nothing.' },
    'perhaps-incomplete': { code: 'processing', own: '4119', text: 'This may not be the entire record.' },
    'too-many': { code: 'processing', own: '4127', text: 'More matched than a search returns.' },
    'parameter-ignored': { code: 'informational', own: '4122', text: 'A parameter is not known and was ignored.' },
  },
  sanitisesText: false,
  documentsPerDay: 500,
  // LOINC: blood pressure, heart rate, respiration, saturation, temperature, weight, height, BMI, pain.
  mappedCodes: [
    '85354-9',
    '8480-6',
    '8462-4',
    '8867-4',
    '9279-1',
    '59408-5',
    '2708-6',
    '8310-5',
    '29463-7',
    '8302-2',
    '39156-5',
    '72514-3',
  ],
};

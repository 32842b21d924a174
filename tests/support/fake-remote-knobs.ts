// What can go wrong at a fake remote, and the small things it is made of.
import type { Resource } from '@medplum/fhirtypes';
import type { JSONWebKeySet } from 'jose';

export interface Knobs {
  /** Updates without If-Match are refused, with 412 as Oracle does. */
  requireIfMatch: boolean;
  conditionalCreate: boolean;
  transactions: boolean;
  versioning: boolean;
  /** Bodies say which version they are; the ETag does in any case. */
  metaVersions: boolean;
  /** Answers have a Date. */
  dates: boolean;
  searchableIdentifier: boolean;
  /** Patients are found by family, given and birthdate. */
  demographics: boolean;
  /** Offers `Patient/$match`, which finds everybody of the same birth date. */
  match: boolean;
  /** `Patient/1` to where a read of it is redirected, as after a merge. */
  redirects: Record<string, string>;
  /** lastUpdated without milliseconds. */
  secondPrecision: boolean;
  /** A created or updated resource is missing from searches until `reveal()`. */
  hideNew: boolean;
  /** Every page repeats the last entry of the page before. */
  repeatAcrossPages: boolean;
  pageSize: number;
  /** Where `next` links point; the server itself when empty. */
  nextOrigin: string;
  /** The `next` link never changes. */
  sameNext: boolean;
  /** Changes every body it is given: trims titles, adds a display, drops extensions. */
  normalise: boolean;
  /** Refuses requests without a token from its own token endpoint, signed by this key. */
  requireToken: JSONWebKeySet | undefined;
  /** Clients besides those with an assertion that may get a token. */
  acceptClient: ((form: URLSearchParams, authorization: string | undefined) => boolean) | undefined;
  /** Where the token endpoint sends who asks; nowhere when empty. */
  tokenRedirect: string;
  /** Runs before the effect of each write. */
  beforeWrite: (() => Promise<unknown>) | undefined;
  /** Runs before the CapabilityStatement is answered. */
  beforeMetadata: (() => Promise<unknown>) | undefined;
  /** What its SMART configuration says it verifies. */
  algorithms: string[];
  /** Members of its CapabilityStatement instead of the usual ones. */
  statement: object;
  /** Refuses the next requests: status and headers. */
  refusals: { status: number; headers?: Record<string, string>; body?: string }[];
  /** Breaks the connection of the next write: before its effect or after it. */
  dropWrite: 'before' | 'after' | undefined;
  /** Searches by `_lastUpdated` are understood and stated; `with-patient`: only beside a patient. */
  lastUpdated: boolean | 'with-patient';
  /** `_history` of a type is answered and stated. */
  history: boolean;
  /** By type: the categories of which a search must name one. */
  requiredCategories: Record<string, string[]>;
  /** Types, and resources by `Type/id`, that are refused with 403. */
  notGranted: string[];
  /** Types that it does not have any more: not stated, and answered with 404 and `not-supported`. */
  lost: string[];
  /** The same, though they are stated. */
  denied: string[];
  /** Remote ids of patients whose searches are refused with 403, as behind a glass to break. */
  restrictedPatients: string[];
  /** Types whose searches carry a warning of this code among the entries. */
  warnings: Record<string, string>;
  /** Searches have an ETag, and an equal one is answered with 304. */
  searchTags: boolean;
  /** Deleted resources answer 404, not 410. */
  forgetsDeleted: boolean;
  /** Every page of a search but the first fails. */
  breakPages: boolean;
  /** Asked for some elements, gives those only. */
  elements: boolean;
  /** The only types there are, with their interactions and search parameters; all of everything when undefined. */
  doors: Readonly<Record<string, Door>> | undefined;
  /** Elements that it drops from what it is given. */
  forgets: readonly string[];
  /** Levels of bulk export that the statement names. */
  exports: readonly ('system' | 'Group' | 'Patient')[];
  /** Subscriptions can be made. */
  subscriptions: boolean;
}

export interface Door {
  readonly interactions: readonly string[];
  readonly search: readonly string[];
}

const READ = ['read', 'search-type'];
const reading = (...search: string[]): Door => ({ interactions: READ, search });
const writing = (more: readonly string[], ...search: string[]): Door => ({ interactions: [...READ, ...more], search });

/** What Epic (May 2026) takes of the types that matter here; docs/projections.md */
export const EPIC_DOORS: Readonly<Record<string, Door>> = {
  Patient: reading('identifier'),
  CarePlan: reading('patient', 'identifier'),
  Goal: reading('patient', 'identifier'),
  Task: writing(['update'], 'patient', 'identifier'),
  ServiceRequest: writing(['create', 'update'], 'patient', 'identifier'),
  Communication: writing(['create'], 'patient', 'identifier'),
  DocumentReference: writing(['create', 'update'], 'patient', 'date', 'identifier', '_lastUpdated'),
};

/** What Oracle Health (Millennium) takes. */
export const ORACLE_DOORS: Readonly<Record<string, Door>> = {
  Patient: reading('identifier'),
  CarePlan: reading('patient', 'date'),
  Goal: reading('patient'),
  ServiceRequest: reading('patient'),
  Communication: writing(['create'], 'category', 'recipient'),
  DocumentReference: writing(['create', 'update'], 'patient', 'date', '_lastUpdated'),
};

export const DEFAULTS: Knobs = {
  requireIfMatch: false,
  conditionalCreate: true,
  transactions: true,
  versioning: true,
  metaVersions: true,
  dates: true,
  searchableIdentifier: true,
  demographics: false,
  match: false,
  redirects: {},
  secondPrecision: false,
  hideNew: false,
  repeatAcrossPages: false,
  pageSize: 50,
  nextOrigin: '',
  sameNext: false,
  normalise: false,
  requireToken: undefined,
  acceptClient: undefined,
  tokenRedirect: '',
  beforeWrite: undefined,
  beforeMetadata: undefined,
  algorithms: ['ES384', 'RS384'],
  statement: {},
  refusals: [],
  dropWrite: undefined,
  lastUpdated: true,
  history: false,
  requiredCategories: {},
  notGranted: [],
  lost: [],
  denied: [],
  restrictedPatients: [],
  warnings: {},
  searchTags: false,
  forgetsDeleted: false,
  breakPages: false,
  elements: true,
  doors: undefined,
  forgets: [],
  exports: [],
  subscriptions: false,
};

const TYPES = [
  'Patient',
  'Practitioner',
  'Organization',
  'Encounter',
  'EpisodeOfCare',
  'Condition',
  'CareTeam',
  'Goal',
  'CarePlan',
  'Task',
  'ServiceRequest',
  'Group',
];

export function statementOf(knobs: Knobs): object {
  return {
    resourceType: 'CapabilityStatement',
    fhirVersion: '4.0.1',
    software: { name: 'fake' },
    rest: [
      {
        mode: 'server',
        interaction: knobs.transactions ? [{ code: 'transaction' }] : [],
        operation: knobs.exports.includes('system') ? [{ name: 'export' }] : [],
        resource: doorsOf(knobs).map(([type, { interactions, search }]) => ({
          type,
          versioning: knobs.versioning ? 'versioned-update' : 'no-version',
          conditionalCreate: knobs.conditionalCreate,
          interaction: interactions.map((code) => ({ code })),
          searchParam: search.map((name) => ({ name, type: 'token' })),
          operation: [
            ...(knobs.match && type === 'Patient' ? [{ name: 'match' }] : []),
            ...(knobs.exports.some((level) => level === type) ? [{ name: 'export' }] : []),
          ],
        })),
      },
    ],
  };
}

function doorsOf(knobs: Knobs): [string, Door][] {
  return Object.entries(knobs.doors ?? everyDoor(knobs)).filter(([type]) => !knobs.lost.includes(type));
}

function everyDoor(knobs: Knobs): Record<string, Door> {
  const interactions = ['create', 'update', 'delete', ...(knobs.history ? ['history-type'] : [])];
  const search = [
    ...(knobs.searchableIdentifier ? ['identifier'] : []),
    ...(knobs.lastUpdated ? ['_lastUpdated'] : []),
    ...(knobs.demographics ? ['family', 'given', 'birthdate'] : []),
  ];
  const doorOf = (type: string) => writing(interactions, ...search, ...(type === 'Patient' ? [] : ['patient']));
  const types = [...TYPES, ...(knobs.subscriptions ? ['Subscription'] : [])];
  return Object.fromEntries(types.map((type) => [type, doorOf(type)]));
}

/** The resource with the elements asked for, marked as a part. */
export function subset(resource: Resource, elements: string): Resource {
  const wanted = new Set(['resourceType', ...elements.split(',')]);
  const kept = Object.fromEntries(Object.entries(resource).filter(([element]) => wanted.has(element)));
  const tag = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }];
  return { ...kept, meta: { ...resource.meta, tag } } as Resource;
}

export function patientOf(resource: Resource): string | undefined {
  const { subject, patient, for: whom } = resource as unknown as Partial<Record<string, { reference?: string }>>;
  return (subject ?? patient ?? whom)?.reference?.split('/').at(-1);
}

export function categoriesOf(resource: Resource): string[] {
  const { category = [] } = resource as { category?: { coding?: { code?: string }[] }[] };
  return category.flatMap(({ coding = [] }) => coding.flatMap(({ code }) => code ?? []));
}

export function identifiersOf(resource: Resource): string[] {
  const identifiers = 'identifier' in resource && Array.isArray(resource.identifier) ? resource.identifier : [];
  return identifiers.map(({ system, value }) => `${system}|${value}`);
}

/** Whether a patient has a name or birth date as asked for. */
export function isLike(resource: Resource, name: string, value: string): boolean {
  if (resource.resourceType !== 'Patient') return true;
  if (name === 'birthdate') return resource.birthDate === value;
  const names = resource.name ?? [];
  if (name === 'family') return names.some(({ family }) => family?.toLowerCase() === value.toLowerCase());
  return names.some(({ given }) => given?.some((one) => one.toLowerCase() === value.toLowerCase()));
}

export function normalised(resource: Resource): Resource {
  const text = JSON.stringify(resource, (key, value) =>
    key === 'extension' ? undefined : key === 'title' ? String(value).trim().toUpperCase() : value,
  );
  return JSON.parse(text);
}

export function httpDate(milliseconds: number): string {
  const time = Temporal.Instant.fromEpochMilliseconds(milliseconds).toZonedDateTimeISO('UTC');
  const two = (value: number) => String(value).padStart(2, '0');
  const day = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][time.dayOfWeek - 1];
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][time.month - 1];
  return `${day}, ${two(time.day)} ${month} ${time.year} ${two(time.hour)}:${two(time.minute)}:${two(time.second)} GMT`;
}

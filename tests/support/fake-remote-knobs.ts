// What can go wrong at a fake remote, and the small things it is made of.
import type { Resource } from '@medplum/fhirtypes';
import type { JSONWebKeySet } from 'jose';

export interface Knobs {
  /** Updates without If-Match are refused, with 412 as Oracle does. */
  requireIfMatch: boolean;
  conditionalCreate: boolean;
  transactions: boolean;
  versioning: boolean;
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
  /** Refuses the next requests: status and headers. */
  refusals: { status: number; headers?: Record<string, string>; body?: string }[];
  /** Breaks the connection of the next write: before its effect or after it. */
  dropWrite: 'before' | 'after' | undefined;
}

export const DEFAULTS: Knobs = {
  requireIfMatch: false,
  conditionalCreate: true,
  transactions: true,
  versioning: true,
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
  refusals: [],
  dropWrite: undefined,
};

const TYPES = [
  'Patient',
  'Practitioner',
  'Organization',
  'Encounter',
  'Condition',
  'CareTeam',
  'Goal',
  'CarePlan',
  'Task',
  'ServiceRequest',
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
        resource: TYPES.map((type) => ({
          type,
          versioning: knobs.versioning ? 'versioned-update' : 'no-version',
          conditionalCreate: knobs.conditionalCreate,
          interaction: ['read', 'search-type', 'create', 'update', 'delete'].map((code) => ({ code })),
          searchParam: [
            ...(knobs.searchableIdentifier ? [{ name: 'identifier', type: 'token' }] : []),
            ...(knobs.demographics ? ['family', 'given', 'birthdate'].map((name) => ({ name, type: 'string' })) : []),
          ],
          operation: knobs.match && type === 'Patient' ? [{ name: 'match' }] : [],
        })),
      },
    ],
  };
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

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
  /** The only types there are, with their interactions and search parameters; all of everything when undefined. */
  doors: Readonly<Record<string, Door>> | undefined;
  /** Elements that it drops from what it is given. */
  forgets: readonly string[];
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
  searchableIdentifier: true,
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
  doors: undefined,
  forgets: [],
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
        resource: Object.entries(knobs.doors ?? everyDoor(knobs)).map(([type, { interactions, search }]) => ({
          type,
          versioning: knobs.versioning ? 'versioned-update' : 'no-version',
          conditionalCreate: knobs.conditionalCreate,
          interaction: interactions.map((code) => ({ code })),
          searchParam: search.map((name) => ({ name, type: 'token' })),
        })),
      },
    ],
  };
}

function everyDoor(knobs: Knobs): Record<string, Door> {
  const door = writing(['create', 'update', 'delete'], ...(knobs.searchableIdentifier ? ['identifier'] : []));
  return Object.fromEntries(TYPES.map((type) => [type, door]));
}

export function identifiersOf(resource: Resource): string[] {
  const identifiers = 'identifier' in resource && Array.isArray(resource.identifier) ? resource.identifier : [];
  return identifiers.map(({ system, value }) => `${system}|${value}`);
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

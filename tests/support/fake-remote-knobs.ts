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
  /** Levels of bulk export that the statement names. */
  exports: readonly ('system' | 'Group' | 'Patient')[];
  /** Subscriptions can be made. */
  subscriptions: boolean;
}

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
  exports: [],
  subscriptions: false,
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
        operation: knobs.exports.includes('system') ? [{ name: 'export' }] : [],
        resource: [...TYPES, 'Group', ...(knobs.subscriptions ? ['Subscription'] : [])].map((type) => ({
          type,
          operation: knobs.exports.some((level) => level === type) ? [{ name: 'export' }] : [],
          versioning: knobs.versioning ? 'versioned-update' : 'no-version',
          conditionalCreate: knobs.conditionalCreate,
          interaction: ['read', 'search-type', 'create', 'update', 'delete'].map((code) => ({ code })),
          searchParam: knobs.searchableIdentifier ? [{ name: 'identifier', type: 'token' }] : [],
        })),
      },
    ],
  };
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

// The CapabilityStatement, generated from the types and search parameters that are really there.
// https://hl7.org/fhir/R4/capabilitystatement.html
import type {
  CapabilityStatement,
  CapabilityStatementRestResource,
  CapabilityStatementRestResourceSearchParam,
} from '@medplum/fhirtypes';
import type { Installed } from './installed.ts';
import type { ParameterDefinition, SearchParameters } from './search/parameters.ts';
import { specialParameters } from './search/special.ts';

/** What the statement says of an operation. */
export interface OfferedOperation {
  /** Without the `$`. */
  readonly code: string;
  readonly definition: string;
  readonly at: readonly string[];
  /** Absent: every type. */
  readonly types?: readonly string[];
  /** Types that it is not for, of all others. */
  readonly notFor?: readonly string[];
}

export interface CapabilityOptions {
  /** What to say of types that are not answered like the others. */
  readonly special?: ReadonlyMap<string, CapabilityStatementRestResource>;
  /** Resource types that are stored and searched. */
  readonly types: readonly string[];
  readonly parameters: SearchParameters;
  readonly operations: readonly OfferedOperation[];
  /** Canonicals of what can be subscribed to. Absent: nothing can. */
  readonly topics?: readonly string[];
  /** Guides and profiles. */
  readonly installed: Installed;
  /** FHIR base URL. */
  readonly baseUrl: string;
  /** Addresses of the authorization server, by the names of the oauth-uris extension. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Version of Baton. */
  readonly version: string;
  /** FHIR instant: when this Baton started. */
  readonly date: string;
}

const INTERACTIONS = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
] as const;
const SYSTEM_INTERACTIONS = ['transaction', 'batch', 'search-system', 'history-system'] as const;

export function capabilityStatement(options: CapabilityOptions): CapabilityStatement {
  const { types, parameters, operations, installed, baseUrl } = options;
  const referrers = referrersOf(types, parameters);
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: options.date,
    kind: 'instance',
    software: { name: 'Baton', version: options.version },
    implementation: { description: 'Nurse case management on FHIR', url: baseUrl },
    ...(installed.guides.length > 0 ? { implementationGuide: [...installed.guides] } : {}),
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    patchFormat: ['application/json-patch+json', 'application/fhir+json'],
    rest: [
      {
        mode: 'server',
        security: security(options.endpoints),
        resource: types.map((type) => ({
          ...(options.special?.get(type) ?? resourceOf(type, parameters, referrers.get(type) ?? [])),
          ...(type === 'Subscription' ? { ...topicsIn(options.topics ?? []), conditionalUpdate: false } : {}),
          ...profilesOf(type, installed),
          ...operationsIn(operations.filter((one) => appliesTo(one, type))),
        })),
        interaction: SYSTEM_INTERACTIONS.map((code) => ({ code })),
        searchParam: [...parameters.forType('Resource'), ...specialParameters(undefined)].map(searchParam),
        ...operationsIn(operations.filter(({ at }) => at.includes('system'))),
        compartment: ['http://hl7.org/fhir/CompartmentDefinition/patient'],
      },
    ],
  };
}

function resourceOf(
  type: string,
  parameters: SearchParameters,
  referrers: readonly string[],
): CapabilityStatementRestResource {
  const searchable = parameters.forType(type);
  const includes = searchable.filter(({ kind }) => kind === 'reference').map(({ code }) => `${type}:${code}`);
  return {
    type: type as CapabilityStatementRestResource['type'],
    interaction: INTERACTIONS.map((code) => ({ code })),
    versioning: 'versioned',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: 'single',
    referencePolicy: ['literal', 'logical', 'local'],
    ...(includes.length > 0 ? { searchInclude: includes } : {}),
    ...(referrers.length > 0 ? { searchRevInclude: [...referrers] } : {}),
    searchParam: [...searchable, ...specialParameters(type)].map(searchParam),
  };
}

/** https://hl7.org/fhir/uv/subscriptions-backport/conformance.html */
function topicsIn(topics: readonly string[]) {
  const url =
    'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical';
  return topics.length > 0 && { extension: topics.map((valueCanonical) => ({ url, valueCanonical })) };
}

/** `profile` is what all resources of the type meet; there can be one only. */
function profilesOf(type: string, { profiles, required }: Installed) {
  const [profile, ...others] = required[type] ?? [];
  const supported = profiles.get(type) ?? [];
  return {
    ...(profile !== undefined && others.length === 0 ? { profile } : {}),
    ...(supported.length > 0 ? { supportedProfile: [...supported] } : {}),
  };
}

function appliesTo({ at, types, notFor }: OfferedOperation, type: string): boolean {
  if (notFor?.includes(type)) return false;
  return at.some((level) => level !== 'system') && (types === undefined || types.includes(type));
}

function operationsIn(operations: readonly OfferedOperation[]) {
  return operations.length > 0 && { operation: operations.map(({ code, definition }) => ({ name: code, definition })) };
}

function searchParam({
  code,
  url,
  kind,
}: Pick<ParameterDefinition, 'code' | 'url' | 'kind'>): CapabilityStatementRestResourceSearchParam {
  return { name: code, definition: url, type: kind };
}

/** Type to the `_revinclude` values that can bring something to it. */
function referrersOf(types: readonly string[], parameters: SearchParameters): Map<string, string[]> {
  const referrers = new Map(types.map((type): [string, string[]] => [type, []]));
  for (const type of types) {
    for (const { kind, code, targets } of parameters.forType(type)) {
      if (kind !== 'reference') continue;
      for (const target of targets.length > 0 ? targets : parameters.types)
        referrers.get(target)?.push(`${type}:${code}`);
    }
  }
  return referrers;
}

/** https://hl7.org/fhir/smart-app-launch/conformance.html#declaring-support-for-oauth2-endpoints */
function security(endpoints: CapabilityOptions['endpoints']) {
  return {
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: Object.entries(endpoints).map(([url, valueUri]) => ({ url, valueUri })),
      },
    ],
    service: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }],
      },
    ],
  };
}

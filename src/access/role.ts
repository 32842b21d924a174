// Roles of people as data: who holds one, and what it lets them do with which patients. Read from profiles/roles at start.
// The people themselves are Practitioner, Patient and RelatedPerson; a PractitionerRole says which role somebody holds.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { NOT_INDEXED, type SearchParameters } from '../fhir/search/parameters.ts';
import { parseSearchUrl } from '../fhir/search/parse.ts';
import { exampleOf, refuseUnknownPlaces } from './role-template.ts';
import { DOORS, type Door, type Permission } from './scopes.ts';
import type { TypeGroups } from './type-groups.ts';

/** One rule of a role, as its file has it. */
export interface RoleRule {
  /** Resource types, and groups of them: `$compartment`, `$directory`, `$definitions`. */
  readonly types: readonly string[];
  /** SMART letters out of `cruds`. */
  readonly may: string;
  /**
   * Only what is about these patients: searches like `CareTeam?participant={user}` on types with a search parameter
   * `patient`, or on Patient itself. Of the user: `{user}` is the reference, `{id}` the bare id, `{organizations}` and
   * `{locations}` those of the roles held; `{now}` is the present instant.
   */
  readonly patients?: readonly string[];
  /** Only what matches, as search parameters: `owner={user}`. */
  readonly matching?: string;
}

export interface Role {
  readonly code: string;
  readonly display: string;
  /** Types of user who hold it by being one: a Patient is in the role `patient`. */
  readonly users?: readonly string[];
  /** `system|code` of PractitionerRole.code that give the role. */
  readonly heldBy?: readonly string[];
  readonly rules: readonly RoleRule[];
  readonly doors?: readonly Door[];
  /** How long emergency access lasts; absent: the role has none. */
  readonly emergencyMinutes?: number;
  /** Learns that something is withheld by a consent, and by which. */
  readonly learnsOfConsents?: boolean;
  /** Works outside the organization: labels that need a permit are withheld without one. */
  readonly external?: boolean;
  /** Consents do not bind the role: a person always reads the own record. */
  readonly beyondConsent?: boolean;
}

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['code', 'display', 'rules'],
  properties: {
    code: { type: 'string', pattern: '^[a-z][a-z-]*$' },
    display: { type: 'string', minLength: 1 },
    users: { type: 'array', items: { enum: ['Patient', 'RelatedPerson', 'Practitioner'] } },
    heldBy: { type: 'array', items: { type: 'string', pattern: '^[^|\\s]+\\|[^|\\s]+$' } },
    doors: { type: 'array', items: { enum: [...DOORS] } },
    emergencyMinutes: { type: 'integer', minimum: 1, maximum: 1440 },
    learnsOfConsents: { type: 'boolean' },
    external: { type: 'boolean' },
    beyondConsent: { type: 'boolean' },
    rules: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['types', 'may'],
        properties: {
          types: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^(\\$[a-z]+|[A-Z]\\w*)$' } },
          may: { type: 'string', pattern: '^(?=.)c?r?u?d?s?$' },
          patients: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[A-Z][A-Za-z]+\\?.+=.+$' } },
          matching: { type: 'string', pattern: '^.+=.+$' },
        },
      },
    },
  },
} as const;

/** A rule with its types spelled out. */
export interface ExpandedRule {
  readonly types: ReadonlySet<string>;
  readonly may: ReadonlySet<Permission>;
  readonly patients?: readonly string[];
  readonly matching?: string;
}

export interface ExpandedRole extends Omit<Role, 'rules'> {
  readonly rules: readonly ExpandedRule[];
}

let check: ValidateFunction<Role> | undefined;

/**
 * @param folder of one JSON file for each role
 * @throws Error naming the file and what is wrong with it
 */
export function loadRoles(folder: string, groups: TypeGroups, parameters: SearchParameters): ExpandedRole[] {
  check ??= new Ajv({ allErrors: true, validateSchema: false }).compile<Role>(SCHEMA);
  const isRole = check;
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().map((name) => {
    const path = join(folder, name);
    const role: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!isRole(role)) {
      const [error] = isRole.errors ?? [];
      throw new Error(`${path}: ${error?.instancePath || 'the role'} ${error?.message}.`);
    }
    const expand = ({ types: named, may, ...limits }: RoleRule): ExpandedRule => {
      const all = named.flatMap((one) => groups.get(one) ?? [one]);
      const unknown = all.find((type) => !parameters.types.includes(type) && !NOT_INDEXED.includes(type));
      if (unknown !== undefined) throw new Error(`${path}: ${unknown} is neither a resource type nor a group of them.`);
      for (const set of limits.patients ?? []) checkPatientSet(parameters, set, path);
      for (const type of limits.matching ? all : []) checkQuery(parameters, `${type}?${limits.matching}`, path);
      return { ...limits, types: new Set(all), may: new Set(may as Iterable<Permission>) };
    };
    return { ...role, rules: role.rules.map(expand) };
  });
}

function checkPatientSet(parameters: SearchParameters, set: string, path: string): void {
  const [type = ''] = set.split('?', 1);
  checkQuery(parameters, set, path);
  if (type === 'Patient' || parameters.get(type, 'patient')?.kind === 'reference') return;
  throw new Error(`${path}: ${set} names no patients: ${type} has no search parameter patient.`);
}

function checkQuery(parameters: SearchParameters, query: string, path: string): void {
  refuseUnknownPlaces(query, path);
  try {
    parseSearchUrl(parameters, exampleOf(query), { handling: 'strict', baseUrl: '' });
  } catch (cause) {
    throw new Error(`${path}: ${query}: ${(cause as Error).message}`, { cause });
  }
}

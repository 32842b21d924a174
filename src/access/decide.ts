// May this grant do this? Scopes against interaction and type. Searches are narrowed before they run; nothing is
// filtered out of their results afterwards.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources
import { Fault } from '../fault.ts';
import type { Grant } from './grant.ts';
import { type Door, hasEverything, type Permission, type ResourceScope } from './scopes.ts';

/** FHIR's restful-interaction codes that Baton answers, and the permission each needs. */
export const PERMISSIONS = {
  create: 'c',
  read: 'r',
  vread: 'r',
  'history-instance': 'r',
  update: 'u',
  patch: 'u',
  delete: 'd',
  'search-type': 's',
  'history-type': 's',
  'search-system': 's',
  'history-system': 's',
} as const satisfies Record<string, Permission>;

export type Interaction = keyof typeof PERMISSIONS;

/** The part of a type's resources that a grant reaches. */
export interface Narrowing {
  /** Only resources in this patient's compartment. */
  readonly patient?: string;
  /** Only resources that match at least one of these sets of search parameters; no set at all means no limit. */
  readonly anyOf: readonly ResourceScope['constraint'][];
}

/**
 * Decides an interaction on a resource type (`*` for all types at once).
 * @returns undefined when every resource of the type is within reach, else the narrowing that must be applied
 * @throws Fault forbidden
 */
export function decide(grant: Grant, interaction: Interaction, type: string): Narrowing | undefined {
  const fitting = scopesFor(grant, interaction, type);
  if (fitting.some(isWide)) return undefined;
  if (fitting.length === 0) throw refusal(PERMISSIONS[interaction], type);
  const wholeType = (scope: ResourceScope) => scope.constraint.length === 0;
  const anyOf = fitting.some(wholeType) ? [] : fitting.map((scope) => scope.constraint);
  if (fitting.every((scope) => scope.level !== 'patient')) return { anyOf };
  if (!grant.patient) {
    throw new Fault('forbidden', 'The token has patient/ scopes but names no patient (claim `patient`).');
  }
  if (fitting.some((scope) => scope.level !== 'patient')) {
    throw new Fault(
      'forbidden',
      `The token mixes patient/ scopes with constrained user/ or system/ scopes for ${type}; Baton cannot combine them.`,
    );
  }
  return { patient: grant.patient, anyOf };
}

/**
 * Like `decide`, for interactions that Baton cannot narrow.
 * @throws Fault forbidden, also when the grant reaches only a part of the type
 */
export function decideFully(grant: Grant, interaction: Interaction, type: string): void {
  if (decide(grant, interaction, type) === undefined) return;
  throw new Fault(
    'forbidden',
    `The token reaches only some ${type === '*' ? '' : `${type} `}resources (a patient/ or constrained scope), and ` +
      `Baton allows ${interaction} only to tokens that reach all of them. Use a user/ or system/ scope.`,
  );
}

/** True when the grant reaches every resource of the type for the interaction. */
export function reachesAll(grant: Grant, interaction: Interaction, type: string): boolean {
  return scopesFor(grant, interaction, type).some(isWide);
}

/** @throws Fault forbidden when the grant does not open one of Baton's own doors (operator routes, intake, metrics) */
export function decideDoor(grant: Grant, door: Door): void {
  if (grant.scopes.doors.has(door) || hasEverything(grant.scopes)) return;
  throw new Fault('forbidden', `The token needs the scope ${door}.`, { context: { scope: door } });
}

function scopesFor(grant: Grant, interaction: Interaction, type: string): ResourceScope[] {
  const permission = PERMISSIONS[interaction];
  return grant.scopes.resources.filter(
    (scope) => scope.permissions.has(permission) && (scope.type === '*' || scope.type === type),
  );
}

const isWide = (scope: ResourceScope) => scope.level !== 'patient' && scope.constraint.length === 0;

function refusal(permission: Permission, type: string): Fault {
  const scope = `system/${type}.${permission}`;
  return new Fault('forbidden', `The token needs a scope like ${scope}.`, { context: { scope } });
}

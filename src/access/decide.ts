// May this grant do this? Scopes against interaction and type and, when a person asks, against what the person's roles
// allow: a scope never gives more than its user has. Searches are narrowed before they run; nothing is filtered out of
// their results afterwards.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources
import { Fault } from '../fault.ts';
import type { Grant } from './grant.ts';
import { isWide, type Lane, type Narrowing } from './narrowing.ts';
import { type Door, hasEverything, type Permission, type ResourceScope } from './scopes.ts';
import type { Standing } from './standing.ts';

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

/**
 * Decides an interaction on a resource type (`*` for all types at once).
 * @returns undefined when every resource of the type is within reach, else the narrowing that must be applied
 * @throws Fault forbidden
 */
export function decide(grant: Grant, interaction: Interaction, type: string): Narrowing | undefined {
  const lanes = lanesFor(grant, interaction, type);
  if (lanes.length === 0) throw refusal(grant, PERMISSIONS[interaction], type);
  return lanes.some(isWide) && !isBound(grant, interaction) ? undefined : { lanes };
}

/**
 * Like `decide`, for interactions that Baton cannot narrow.
 * @throws Fault forbidden, also when the grant reaches only a part of the type
 */
export function decideFully(grant: Grant, interaction: Interaction, type: string): undefined {
  if (decide(grant, interaction, type) === undefined) return undefined;
  throw new Fault(
    'forbidden',
    `The token reaches only some ${type === '*' ? '' : `${type} `}resources (a patient/, user/ or constrained scope, or ` +
      `consents that withhold some), and Baton allows ${interaction} only to tokens that reach all of them.`,
  );
}

/** True when the grant reaches every resource of the type for the interaction. */
export function reachesAll(grant: Grant, interaction: Interaction, type: string): boolean {
  return !isBound(grant, interaction) && lanesFor(grant, interaction, type).some(isWide);
}

/** True when the grant reaches some resources of the type, perhaps all. */
export function reachesSome(grant: Grant, interaction: Interaction, type: string): boolean {
  return lanesFor(grant, interaction, type).length > 0;
}

/** Consents say who may see something, not who may write it down. */
export function isBound(grant: Grant, interaction: Interaction): boolean {
  return grant.asker !== undefined && DISCLOSES.has(PERMISSIONS[interaction]);
}

const DISCLOSES: ReadonlySet<Permission> = new Set(['r', 's']);

/** @throws Fault forbidden when the grant does not open one of Baton's own doors (operator routes, intake, metrics) */
export function decideDoor(grant: Grant, door: Door): void {
  const scoped = grant.scopes.doors.has(door) || hasEverything(grant.scopes);
  const mayUser = grant.actor.kind !== 'user' || grant.standing?.doors.has(door) === true;
  if (scoped && mayUser) return;
  throw new Fault(
    'forbidden',
    scoped ? "The user's roles do not open this door." : `The token needs the scope ${door}.`,
    scoped ? {} : { context: { scope: door } },
  );
}

/**
 * Whether an application may do more with this patient in the name of its user than read. One that was given another patient,
 * or no record at all, may not.
 */
export function mayActOn({ scopes, patient }: Grant, id: string): boolean {
  return scopes.resources.some(
    ({ level, permissions, constraint }) =>
      permissions.has('r') && constraint.length === 0 && (level !== 'patient' || patient === id),
  );
}

function lanesFor(grant: Grant, interaction: Interaction, type: string): Lane[] {
  const permission = PERMISSIONS[interaction];
  const lanes: Lane[] = [];
  for (const scope of grant.scopes.resources) {
    const isMeant = scope.permissions.has(permission) && (scope.type === '*' || scope.type === type);
    if (isMeant) lanes.push(...lanesOf(grant, scope, permission, type));
  }
  return lanes;
}

function lanesOf(grant: Grant, scope: ResourceScope, permission: Permission, type: string): Lane[] {
  const { constraint, level } = scope;
  if (level === 'patient' && grant.patient === undefined) return [];
  const scoped: Lane = { constraint, ...(level === 'patient' ? { patient: grant.patient } : {}) };
  if (grant.actor.kind === 'user') return withRoles(scoped, grant.standing, permission, type);
  // A user/ scope speaks of a user's rights, and there is no user.
  return level === 'user' ? [] : [scoped];
}

function withRoles(scoped: Lane, standing: Standing | undefined, permission: Permission, type: string): Lane[] {
  if (!standing) return [];
  const ofRoles = standing.rules
    .filter((rule) => rule.may.has(permission) && (type === '*' || rule.types.has(type)))
    .map(({ types, patients, matching }): Lane => {
      const named = type === '*' ? { types: [...types] } : {};
      const limited = patients !== undefined || matching !== undefined || type === '*';
      return limited
        ? { ...scoped, role: { ...named, ...(patients ? { patients } : {}), ...(matching ? { matching } : {}) } }
        : scoped;
    });
  return [...ofRoles, ...inEmergency(scoped, standing, permission, type)];
}

/** Emergency access opens one patient's compartment, for what the user's roles may do with their own patients. */
function inEmergency(scoped: Lane, { emergencies, emergencyRules }: Standing, permission: Permission, type: string) {
  const may = emergencyRules.filter((rule) => rule.may.has(permission) && (type === '*' || rule.types.has(type)));
  if (may.length === 0) return [];
  return emergencies
    .filter(({ patient }) => scoped.patient === undefined || scoped.patient === patient)
    .map(({ patient }): Lane => {
      const role = type === '*' ? { role: { types: may.flatMap((rule) => [...rule.types]) } } : {};
      return { ...scoped, patient, emergency: true, ...role };
    });
}

function refusal(grant: Grant, permission: Permission, type: string): Fault {
  const scope = `system/${type}.${permission}`;
  const asked = grant.scopes.resources.filter(
    (each) => each.permissions.has(permission) && (each.type === '*' || each.type === type),
  );
  if (asked.some(({ level }) => level === 'patient') && grant.patient === undefined) {
    return new Fault('forbidden', 'The token has patient/ scopes but names no patient (claim `patient`).');
  }
  if (asked.length > 0 && grant.actor.kind === 'user') {
    return new Fault('forbidden', `None of the user's roles may do this with ${type === '*' ? 'all types' : type}.`);
  }
  if (asked.length > 0) {
    return new Fault('forbidden', 'The token has user/ scopes but names no user (claim `fhirUser`).');
  }
  return new Fault('forbidden', `The token needs a scope like ${scope}.`, { context: { scope } });
}

// SMART scopes as data: what a token's `scope` says about resource types, and about Baton's own doors.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html

export type Permission = 'c' | 'r' | 'u' | 'd' | 's';
export type Level = 'patient' | 'user' | 'system';

/** One `patient|user|system/Type.cruds?constraint` scope. */
export interface ResourceScope {
  readonly level: Level;
  /** A resource type, or `*`. */
  readonly type: string;
  readonly permissions: ReadonlySet<Permission>;
  /** Search parameters the resources must match; empty for all resources of the type. */
  readonly constraint: readonly (readonly [name: string, value: string])[];
}

/**
 * Doors that are not FHIR. A client that only needs one of them asks for just that scope; `system/*.cruds`, which may
 * read and change everything anyway, opens all of them. But only `baton/custodian` itself goes beyond what consents
 * withhold: it is for those who keep the records (repair, export for the patient), never for applications.
 */
export const DOORS = [
  'baton/ops',
  'baton/intake',
  'baton/metrics',
  'baton/sandbox',
  'baton/launch',
  'baton/custodian',
] as const;
export type Door = (typeof DOORS)[number];

/** Never follows from another scope. */
export const BEYOND_CONSENT: Door = 'baton/custodian';

export interface Scopes {
  readonly resources: readonly ResourceScope[];
  readonly doors: ReadonlySet<Door>;
}

/** Everything Baton can be asked for; what `baton token` and the sandbox issue to their owner. */
export const FULL_SCOPE = `system/*.cruds ${DOORS.join(' ')}`;

const RESOURCE_SCOPE = /^(patient|user|system)\/([A-Z][A-Za-z]*|\*)\.(read|write|\*|[cruds]+)(?:\?(.+))?$/;
const V1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };
const MAX_SCOPES = 200;

/**
 * Reads a space-separated scope string. Scopes that are not understood grant nothing, as SMART asks; letters out of
 * the order `cruds` make a scope not understood.
 */
export function parseScopes(text: string): Scopes {
  const resources: ResourceScope[] = [];
  const doors = new Set<Door>();
  for (const word of text.split(' ', MAX_SCOPES)) {
    const door = DOORS.find((candidate) => candidate === word);
    if (door) doors.add(door);
    const scope = parseResourceScope(word);
    if (scope) resources.push(scope);
  }
  return { resources, doors };
}

function parseResourceScope(word: string): ResourceScope | undefined {
  const match = RESOURCE_SCOPE.exec(word);
  const [, level, type, given, constraint] = match ?? [];
  if (!level || !type || !given) return undefined;
  const letters = V1[given] ?? given;
  if (!/^c?r?u?d?s?$/.test(letters)) return undefined;
  return {
    level: level as Level,
    type,
    permissions: new Set(letters as Iterable<Permission>),
    constraint: constraint ? [...new URLSearchParams(constraint)] : [],
  };
}

/** True when every scope that `asked` grants is also granted by `allowed`. Used when a client asks for a token. */
export function isWithin(asked: Scopes, allowed: Scopes): boolean {
  const superuser = hasEverything(allowed);
  const fits = (door: Door) => allowed.doors.has(door) || (superuser && door !== BEYOND_CONSENT);
  const doorsFit = [...asked.doors].every(fits);
  return doorsFit && asked.resources.every((scope) => [...scope.permissions].every((p) => covers(allowed, scope, p)));
}

function covers(allowed: Scopes, scope: ResourceScope, permission: Permission): boolean {
  return allowed.resources.some(
    (candidate) =>
      candidate.level === scope.level &&
      (candidate.type === '*' || candidate.type === scope.type) &&
      candidate.permissions.has(permission) &&
      (candidate.constraint.length === 0 || sameConstraint(candidate, scope)),
  );
}

const sameConstraint = (a: ResourceScope, b: ResourceScope) =>
  JSON.stringify(a.constraint) === JSON.stringify(b.constraint);

/** True for `system/*.cruds` without a constraint. */
export function hasEverything(scopes: Scopes): boolean {
  return scopes.resources.some(
    (scope) =>
      scope.level === 'system' && scope.type === '*' && scope.permissions.size === 5 && scope.constraint.length === 0,
  );
}

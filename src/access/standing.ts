// Where a person stands: the roles held now, what their rules come to for this person, and the emergency accesses that are
// running. Asked for each request of a person; the roles are remembered until something is committed, at most a second.
import type { PractitionerRole } from '@medplum/fhirtypes';
import type { Clock } from '../clock.ts';
import { knownAs } from '../fhir/consent/known-as.ts';
import { parseLiteral } from '../fhir/references.ts';
import type { Pairs } from '../fhir/request-url.ts';
import type { Store } from '../store/store.ts';
import { type EmergencyAccess, runningEmergencies } from './emergency.ts';
import type { PatientSet } from './narrowing.ts';
import type { ExpandedRole, ExpandedRule } from './role.ts';
import { filled, type RoleValues } from './role-template.ts';
import type { Door, Permission } from './scopes.ts';

/** A rule with the person's own references in it. */
export interface StandingRule {
  readonly types: ReadonlySet<string>;
  readonly may: ReadonlySet<Permission>;
  readonly patients?: readonly PatientSet[];
  readonly matching?: Pairs;
}

export interface Standing {
  /** Codes of the roles held. */
  readonly roles: readonly string[];
  readonly rules: readonly StandingRule[];
  readonly doors: ReadonlySet<Door>;
  /** What means this person in a consent: the person, the roles, the organizations, by reference and by identifier. */
  readonly references: readonly string[];
  readonly emergencies: readonly EmergencyAccess[];
  /** What emergency access lets the person do with the patient it is for. */
  readonly emergencyRules: readonly StandingRule[];
  /** Undefined when no role may break the glass. */
  readonly emergencyMinutes: number | undefined;
  readonly learnsOfConsents: boolean;
  readonly external: boolean;
  readonly beyondConsent: boolean;
}

const LIFETIME_MS = 1_000;
const REMEMBERED = 1_000;

export interface StandingOptions {
  readonly store: Pick<Store, 'find' | 'query' | 'onCommit' | 'read'>;
  readonly roles: readonly ExpandedRole[];
  readonly clock: Clock;
}

/** @returns a function from `Practitioner/12` to where that person stands now */
export function createStandings({ store, roles, clock }: StandingOptions): (user: string) => Promise<Standing> {
  const remembered = new Map<string, { readonly until: number; readonly standing: Promise<Standing> }>();
  store.onCommit(() => remembered.clear());
  const recall = (user: string) => {
    const now = clock.real().epochMilliseconds;
    const known = remembered.get(user);
    if (known && known.until > now) return known.standing;
    const standing = findStanding({ store, roles, clock }, user);
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(user, { until: now + LIFETIME_MS, standing });
    standing.catch(() => remembered.delete(user));
    return standing;
  };
  return async (user) => {
    const standing = await recall(user);
    if (standing.emergencyMinutes === undefined) return standing;
    // Never remembered: the glass is broken to see at once.
    return { ...standing, emergencies: await runningEmergencies(store, clock, user) };
  };
}

async function findStanding({ store, roles, clock }: StandingOptions, user: string): Promise<Standing> {
  const { type = '', id = '' } = parseLiteral(user) ?? {};
  const held = await heldRoles(store, clock, type, id);
  const codes = new Set(held.flatMap(({ code = [] }) => code.flatMap(({ coding = [] }) => coding)).map(tokenOf));
  const own = roles.filter(({ users, heldBy = [] }) => users?.includes(type) || heldBy.some((one) => codes.has(one)));
  const organizations = referencesIn(held.map(({ organization }) => organization));
  // Who signs in as one of several roles is the same person.
  const people = referencesIn(held.map(({ practitioner }) => practitioner));
  const locations = referencesIn(held.flatMap(({ location = [] }) => location));
  const values = { user: [user], id: [id], organizations, locations, now: [clock.now().toString()] };
  const minutes = own.flatMap(({ emergencyMinutes }) => emergencyMinutes ?? []);
  const rulesOf = (from: readonly ExpandedRole[]) =>
    from.flatMap(({ rules }) => rules.flatMap((r) => applied(r, values)));
  return {
    roles: own.map(({ code }) => code),
    rules: rulesOf(own),
    doors: new Set(own.flatMap(({ doors = [] }) => doors)),
    references: await knownAs(store, [
      ...new Set([user, ...people, ...held.map(({ id: role }) => `PractitionerRole/${role}`), ...organizations]),
    ]),
    emergencies: [],
    emergencyRules: own
      .filter((role) => role.emergencyMinutes !== undefined)
      .flatMap(({ rules }) => rules.flatMap(({ types, may, patients }) => (patients ? [{ types, may }] : []))),
    emergencyMinutes: minutes.length > 0 ? Math.max(...minutes) : undefined,
    learnsOfConsents: own.some((role) => role.learnsOfConsents),
    // The strictest of several roles counts for what leaves the organization, the widest for the own record.
    external: own.every((role) => role.external) || own.length === 0,
    beyondConsent: own.some((role) => role.beyondConsent),
  };
}

/** PractitionerRoles that are active and, where they say when, now. A user may also be one PractitionerRole. */
async function heldRoles(
  store: StandingOptions['store'],
  clock: Clock,
  type: string,
  id: string,
): Promise<PractitionerRole[]> {
  if (type !== 'Practitioner' && type !== 'PractitionerRole') return [];
  const query = type === 'Practitioner' ? `practitioner=Practitioner/${id}` : `_id=${id}`;
  const found = await store.find(`PractitionerRole?active=true&${query}`);
  const now = clock.now();
  return found
    .map(({ content }) => JSON.parse(content) as PractitionerRole)
    .filter(({ period }) => !isBefore(now, period?.start) && !isAfter(now, period?.end));
}

/** A partial date begins with its first moment and ends with its last, in UTC. */
function isBefore(now: Temporal.Instant, start: string | undefined): boolean {
  return start !== undefined && now.toString() < start.slice(0, 10);
}

function isAfter(now: Temporal.Instant, end: string | undefined): boolean {
  return end !== undefined && now.toString().slice(0, end.slice(0, 10).length) > end.slice(0, 10);
}

const tokenOf = ({ system = '', code = '' }: { system?: string; code?: string }) => `${system}|${code}`;

function referencesIn(references: readonly ({ reference?: string } | undefined)[]): string[] {
  return [
    ...new Set(references.flatMap((each) => (each?.reference && parseLiteral(each.reference) ? [each.reference] : []))),
  ];
}

/** The rule for a person; none when nothing is left of what it is limited to. */
function applied({ types, may, patients, matching }: ExpandedRule, values: RoleValues): StandingRule[] {
  const sets = patients?.flatMap((query) => filled(query, values) ?? []);
  if (sets?.length === 0) return [];
  const match = matching === undefined ? undefined : filled(matching, values);
  if (matching !== undefined && match === undefined) return [];
  const pairs = match === undefined ? {} : { matching: [...new URLSearchParams(match)] };
  return [{ types, may, ...(sets ? { patients: sets } : {}), ...pairs }];
}

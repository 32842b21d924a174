// For whom somebody acts in a referral: themselves, the roles they hold, and the organizations, services and teams that
// these are in. Another server, Baton itself and an application without a person stand on neither side: they carry what
// either said, and what they may write is decided by their scopes.
import type { CareTeam, PractitionerRole, Provenance, Reference, Resource, Task } from '@medplum/fhirtypes';
import { parseLiteral } from '../fhir/references.ts';
import type { Parties } from '../fhir/status/sides.ts';
import type { Actor } from '../store/store.ts';

export interface ActingForFacts {
  readonly actor: Pick<Actor, 'reference' | 'kind'>;
  /** The referral, as it is stored. */
  readonly task: Task;
  /** What is written together with it. */
  readonly beside: readonly Resource[];
  readonly now: Temporal.Instant;
  find(query: string): Promise<readonly Resource[]>;
}

export async function actingFor({ actor, task, beside, now, find }: ActingForFacts): Promise<Parties> {
  if (actor.kind !== 'user') return 'any';
  const parties = new Set([actor.reference]);
  for (const { id, practitioner, organization, healthcareService = [] } of await heldRoles(actor, now, find)) {
    add(parties, { reference: `PractitionerRole/${id}` }, practitioner, organization, ...healthcareService);
  }
  for (const team of await teamsAmong([task.requester, task.owner], find)) {
    const isMember = team.participant?.some(({ member }) => parties.has(member?.reference ?? ''));
    if (isMember) parties.add(`CareTeam/${team.id}`);
  }
  const asker = task.requester?.reference;
  if (asker && !parties.has(asker) && (await isColleague({ reference: asker }, parties, now, find))) parties.add(asker);
  // Most partners have no system of their own: who asked them writes down what they answered, and says so.
  if (asker && parties.has(asker)) {
    for (const one of beside) if (one.resourceType === 'Provenance') add(parties, ...principals(one, task, parties));
  }
  return parties;
}

/** Who has taken over the patient sees to what the one before has asked for. */
async function isColleague(
  asker: Pick<Actor, 'reference'>,
  parties: ReadonlySet<string>,
  now: Temporal.Instant,
  find: ActingForFacts['find'],
): Promise<boolean> {
  const roles = await heldRoles(asker, now, find);
  return roles.some(({ organization }) => organization?.reference && parties.has(organization.reference));
}

async function heldRoles(
  { reference }: Pick<Actor, 'reference'>,
  now: Temporal.Instant,
  find: ActingForFacts['find'],
): Promise<PractitionerRole[]> {
  const { type, id = '' } = parseLiteral(reference) ?? {};
  if (type !== 'Practitioner' && type !== 'PractitionerRole') return [];
  const by = type === 'Practitioner' ? ['practitioner', reference] : ['_id', id];
  const found = await find(`PractitionerRole?active=true&${new URLSearchParams([by])}`);
  return found.filter((one) => one.resourceType === 'PractitionerRole').filter(({ period }) => isNow(period, now));
}

/** A partial date begins with its first moment and ends with its last, in UTC. */
function isNow({ start, end }: NonNullable<PractitionerRole['period']> = {}, now: Temporal.Instant): boolean {
  const today = now.toString();
  const day = (date: string) => date.slice(0, 10);
  return (!start || today >= day(start)) && (!end || today.slice(0, day(end).length) <= day(end));
}

async function teamsAmong(
  references: readonly (Reference | undefined)[],
  find: ActingForFacts['find'],
): Promise<CareTeam[]> {
  const targets = references.map((one) => parseLiteral(one?.reference ?? ''));
  const ids = targets.flatMap((target) => (target?.type === 'CareTeam' ? [target.id] : []));
  if (ids.length === 0) return [];
  const found = await find(`CareTeam?${new URLSearchParams({ _id: ids.join(',') })}`);
  return found.filter((one) => one.resourceType === 'CareTeam');
}

/** Those on whose behalf the actor is said to have written the Task. */
function principals({ target, agent }: Provenance, { id }: Task, parties: ReadonlySet<string>) {
  if (!target.some(({ reference }) => reference?.replace(/\/_history\/.*$/, '') === `Task/${id}`)) return [];
  return agent.flatMap(({ who, onBehalfOf }) => (parties.has(who.reference ?? '') ? [onBehalfOf] : []));
}

function add(parties: Set<string>, ...references: readonly (Reference | undefined)[]): void {
  for (const one of references) if (one?.reference) parties.add(one.reference);
}

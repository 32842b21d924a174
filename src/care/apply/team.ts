// Who does what a pathway plans: the participants of a definition, found among the people of the case.
import type {
  ActivityDefinition,
  CareTeam,
  CodeableConcept,
  PlanDefinitionAction,
  Practitioner,
  Reference,
  Task,
} from '@medplum/fhirtypes';

type Participant = NonNullable<PlanDefinitionAction['participant']>[number] | ActivityParticipant;
type ActivityParticipant = NonNullable<ActivityDefinition['participant']>[number];
export type Performer = NonNullable<Task['owner']>;

/** The people that a pathway can give something to do. */
export interface Team {
  readonly patient: Reference;
  /** Who applies the pathway or manages the case: does what is for a practitioner that the team does not have. */
  readonly practitioner?: Reference<Practitioner>;
  readonly organization?: Reference;
  /** Members with their roles, as in a CareTeam. */
  readonly members: NonNullable<CareTeam['participant']>;
}

export interface Performers {
  readonly roles: readonly CodeableConcept[];
  readonly people: readonly Performer[];
}

/** The roles that are wanted, and the members of the team who have them. */
export function findPerformers(participants: readonly Participant[], team: Team): Performers {
  const roles = participants.flatMap(({ role }) => role ?? []);
  const people = participants.flatMap((participant) => peopleFor(participant, team));
  return { roles, people: distinct(people) };
}

function peopleFor({ type, role }: Participant, team: Team): Reference[] {
  if (type === 'patient') return [team.patient];
  const kinds =
    type === 'related-person' ? /^RelatedPerson\// : /^(?:Practitioner|PractitionerRole|Organization|CareTeam)\//;
  const members = team.members.filter(({ member }) => kinds.test(member?.reference ?? ''));
  const found = role ? members.filter((one) => one.role?.some((has) => isSameConcept(has, role))) : [];
  if (found.length > 0) return found.flatMap(({ member }) => member ?? []);
  if (type === 'related-person') return members.slice(0, 1).flatMap(({ member }) => member ?? []);
  return type === 'practitioner' && team.practitioner ? [team.practitioner] : [];
}

function isSameConcept(a: CodeableConcept, b: CodeableConcept): boolean {
  return Boolean(
    b.coding?.some(({ system, code }) => a.coding?.some((one) => one.system === system && one.code === code)),
  );
}

function distinct(people: readonly Reference[]): Performer[] {
  return people.filter(
    ({ reference }, index) => people.findIndex((other) => other.reference === reference) === index,
  ) as Performer[];
}

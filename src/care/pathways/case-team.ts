// The people of a case, as pathways give them things to do.
import type { CareTeam, EpisodeOfCare, Practitioner, Reference } from '@medplum/fhirtypes';
import type { Team } from '../apply/team.ts';
import { roleConcept } from '../concept.ts';
import type { Caller, Records } from '../records.ts';
import { idOf } from '../stored.ts';

/** Members of the case's care teams, and its manager as the case manager among them. */
export async function teamOfCase(
  { team, careManager, patient, managingOrganization }: EpisodeOfCare,
  records: Records,
  caller: Caller,
): Promise<Team> {
  const ids = (team ?? []).flatMap((reference) => idOf(reference, 'CareTeam') ?? []);
  const teams = await Promise.all(ids.map((id) => records.read('CareTeam', id)));
  return membersOf({
    patient,
    teams: teams.flatMap((one) => one ?? []),
    manager: (careManager ?? (isPractitioner(caller.who) ? caller.who : undefined)) as
      | Reference<Practitioner>
      | undefined,
    organization: managingOrganization,
  });
}

/** The same without a case. */
export function membersOf(given: {
  readonly patient: Reference;
  readonly teams: readonly CareTeam[];
  readonly manager?: Reference<Practitioner> | undefined;
  readonly organization?: Reference | undefined;
}): Team {
  const { patient, teams, manager, organization } = given;
  const members = teams.flatMap(({ participant }) => participant ?? []);
  return {
    patient,
    ...(manager ? { practitioner: manager } : {}),
    ...(organization ? { organization } : {}),
    members: manager ? [...members, { role: [roleConcept('case-manager')], member: manager }] : members,
  };
}

function isPractitioner({ reference }: Reference): boolean {
  return /^Practitioner(?:Role)?\//.test(reference ?? '');
}

// Commands on the team of a case. The first member makes the team, and the case and its plan name it from then on.
import { randomUUID } from 'node:crypto';
import type { CarePlan, CareTeam } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { type CaseAtHand, openCaseAtHand } from '../case-at-hand.ts';
import { nowOf } from '../given-time.ts';
import { withNote } from '../note.ts';
import { currentPlan } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { addMember, changeMember, endMember, leadBy } from './members.ts';
import { newTeam } from './new-team.ts';
import type { AddMember, ChangeMember, EndMember } from './team-schema.ts';

type Of<T> = { readonly case: string } & T;
type OfMember<T> = Of<{ readonly member: string; readonly input: T }>;

/** @throws Fault not-found; unprocessable; conflict when they have this role in it already */
export async function planAddMember(records: Records, caller: Caller, { case: id, input }: Of<{ input: AddMember }>) {
  const found = await openCaseAtHand(records, id);
  await requireMember(records, found, input);
  const team = await findTeam(records, found);
  if (team) return changeOf(team, addMember(team, input, caller));
  return planNewTeam(records, caller, found, input);
}

export async function planChangeMember(records: Records, caller: Caller, command: OfMember<ChangeMember>) {
  const team = await teamOf(records, command.case);
  return changeOf(team, changeMember(team, command.member, command.input, caller));
}

export async function planEndMember(records: Records, caller: Caller, { input, ...command }: OfMember<EndMember>) {
  const team = await teamOf(records, command.case);
  const ended = endMember(team, command.member, input, caller);
  return changeOf(team, { ...ended, ...withNote(ended.note, caller, input.note) });
}

export async function planLead(records: Records, caller: Caller, command: Of<{ readonly member: string }>) {
  const team = await teamOf(records, command.case);
  return changeOf(team, leadBy(team, command.member, caller));
}

function changeOf(team: Kept<'CareTeam'>, resource: CareTeam): Planned {
  return { changes: [{ op: 'update', resource, ifMatch: team.meta.versionId }], about: 0 };
}

async function teamOf(records: Records, id: string): Promise<Kept<'CareTeam'>> {
  const team = await findTeam(records, await openCaseAtHand(records, id));
  if (team) return team;
  throw new Fault('not-found', 'The case has no team yet; add its first member.', { expression: 'EpisodeOfCare.team' });
}

/** Of the teams that the case names, the one at work. */
async function findTeam(records: Records, { episode }: CaseAtHand): Promise<Kept<'CareTeam'> | undefined> {
  const ids = (episode.team ?? []).flatMap((team) => idOf(team, 'CareTeam') ?? []);
  const teams = await Promise.all(ids.map((id) => records.read('CareTeam', id)));
  return teams.find((team) => team && team.status !== 'inactive' && team.status !== 'entered-in-error');
}

/** @throws Fault unprocessable for a family member of somebody else, or another patient */
async function requireMember(records: Records, { patient }: CaseAtHand, { member }: AddMember): Promise<void> {
  const related = idOf(member, 'RelatedPerson');
  const other = idOf(member, 'Patient');
  const person = related === undefined ? undefined : await records.read('RelatedPerson', related);
  const isStranger = related !== undefined && idOf(person?.patient, 'Patient') !== patient.id;
  if (isStranger || (other !== undefined && other !== patient.id)) {
    throw new Fault('unprocessable', 'The member belongs to another patient, or is not there.', {
      expression: 'member',
      code: 'business-rule',
    });
  }
}

async function planNewTeam(records: Records, caller: Caller, found: CaseAtHand, input: AddMember): Promise<Planned> {
  const { episode } = found;
  const id = randomUUID();
  const reference = { reference: `CareTeam/${id}` };
  const empty = newTeam({ subject: found.subject, start: nowOf(caller), organization: episode.managingOrganization });
  const team = addMember(empty, input, caller);
  const plan = await currentPlan(records, episode.id);
  const named: Change[] = plan
    ? [
        {
          op: 'patch',
          type: 'CarePlan',
          id: plan.id,
          revise: (current) =>
            ({ ...current, careTeam: [...((current as CarePlan).careTeam ?? []), reference] }) as CarePlan,
        },
      ]
    : [];
  const resource = { ...episode, team: [...(episode.team ?? []), reference] };
  return {
    changes: [
      { op: 'create', id, resource: team },
      { op: 'update', resource, ifMatch: episode.meta.versionId },
      ...named,
    ],
    about: 0,
  };
}

// The teams of the patient of a case, as the caller may see them.
import { caseAtHand } from '../case-at-hand.ts';
import type { Caller, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import type { Team } from './team-schema.ts';
import { viewTeam } from './team-view.ts';

/** That of the case first. @throws Fault not-found */
export async function listTeams(records: Records, caller: Caller, id: string): Promise<Team[]> {
  const found = await caseAtHand(records, id);
  const named = new Set(found.episode.team?.map((team) => idOf(team, 'CareTeam')));
  const teams = await records.find('CareTeam', { patient: `Patient/${found.patient.id}` });
  const views = teams
    .filter(({ status }) => status !== 'entered-in-error')
    .map((team) => viewTeam(team, named.has(team.id), caller));
  return views.toSorted((a, b) => Number(b.ofCase) - Number(a.ofCase));
}

/** @throws Fault not-found when there is no such case */
export async function showTeam(records: Records, caller: Caller, id: string, team: string): Promise<Team | undefined> {
  const { episode } = await caseAtHand(records, id);
  const found = await records.read('CareTeam', team);
  const isNamed = episode.team?.some((one) => idOf(one, 'CareTeam') === team) ?? false;
  return found && viewTeam(found, isNamed, caller);
}

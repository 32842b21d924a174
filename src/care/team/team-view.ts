// A CareTeam as the people of a case, whoever wrote it.
import type { CareTeam, CareTeamParticipant } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { derivedId } from '../derived-id.ts';
import { linkedOf } from '../linked.ts';
import { toInstant, toLastInstant } from '../local-time.ts';
import { typeOfParty } from '../party.ts';
import { present, some } from '../present.ts';
import type { Caller, Kept } from '../records.ts';
import { DUTIES, DUTY, type Duty } from './team-codes.ts';
import type { Member, Team } from './team-schema.ts';

/** @param ofCase whether the case names it as its team */
export function viewTeam(team: Kept<'CareTeam'>, ofCase: boolean, caller: Pick<Caller, 'now' | 'zone'>): Team {
  const members = keysOf(team).map(({ key, participant }) => viewMember(key, participant, caller));
  return present<Team>({
    id: team.id,
    version: team.meta.versionId,
    ofCase,
    status: team.status,
    name: team.name,
    members,
    notes: some((team.note ?? []).flatMap(({ text }) => text ?? [])),
  });
}

interface Keyed {
  readonly key: string;
  readonly participant: CareTeamParticipant;
}

/**
 * Each participant with what names it: its element id, or, where the one who wrote it gave none, a name that follows
 * from who it is, and counts on for those that are equal.
 */
export function keysOf(team: CareTeam): Keyed[] {
  const met = new Map<string, number>();
  return (team.participant ?? []).map((participant) => {
    if (participant.id !== undefined) return { key: participant.id, participant };
    const { member, role, period } = participant;
    const said = JSON.stringify([member?.reference ?? member?.display, role, period?.start]);
    const before = met.get(said) ?? 0;
    met.set(said, before + 1);
    return { key: derivedId('participant', said, String(before)), participant };
  });
}

function viewMember(id: string, participant: CareTeamParticipant, caller: Pick<Caller, 'now' | 'zone'>): Member {
  const { role, member, onBehalfOf, period } = participant;
  const party = linkedOf(member);
  return present<Member>({
    id,
    member: party,
    kind: party && KINDS[typeOfParty(party) ?? ''],
    role: codedOf(role?.[0]),
    start: period?.start,
    end: period?.end,
    current: isCurrent(participant, caller),
    onBehalfOf: linkedOf(onBehalfOf),
    duties: some(dutiesOf(participant)),
  });
}

const KINDS: Readonly<Partial<Record<string, Member['kind']>>> = {
  Practitioner: 'staff',
  PractitionerRole: 'staff',
  RelatedPerson: 'family',
  Organization: 'community',
  Patient: 'patient',
  CareTeam: 'team',
};

/** A day counts as a whole: who leaves on it is still there on it. */
export function isCurrent({ period }: CareTeamParticipant, { now, zone }: Pick<Caller, 'now' | 'zone'>): boolean {
  const begun = !period?.start || Temporal.Instant.compare(toInstant(period.start, zone), now) <= 0;
  const over = period?.end && Temporal.Instant.compare(toLastInstant(period.end, zone), now) < 0;
  return begun && !over;
}

export function dutiesOf({ extension = [] }: CareTeamParticipant): Duty[] {
  const codes = extension.flatMap(({ url, valueCode }) => (url === DUTY ? (valueCode ?? []) : []));
  return DUTIES.filter((duty) => codes.includes(duty));
}

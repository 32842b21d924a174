// Who joins, changes role in, or leaves a CareTeam. A participant is ended, never taken out. Pure.
import { randomUUID } from 'node:crypto';
import type { CareTeam, CareTeamParticipant, Extension } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { conceptOf } from '../coded.ts';
import { requireOrder, today } from '../given-time.ts';
import { isSame, typeOfParty } from '../party.ts';
import type { Caller } from '../records.ts';
import { DUTY, type Duty } from './team-codes.ts';
import type { AddMember, ChangeMember, EndMember } from './team-schema.ts';
import { dutiesOf, isCurrent, keysOf } from './team-view.ts';

/** @throws Fault conflict when the same one has the same role already; unprocessable when the end is before the start */
export function addMember(team: CareTeam, input: AddMember, caller: Caller): CareTeam {
  const { member, role, start = today(caller), end, onBehalfOf, duties = [] } = input;
  requireOrder(start, end, ['its start', 'end'], caller);
  if (onBehalfOf && typeOfParty(member) !== 'Practitioner') {
    throw new Fault('unprocessable', 'Only a practitioner acts on behalf of an organization.', {
      expression: 'onBehalfOf',
      code: 'business-rule',
    });
  }
  const concept = conceptOf(role);
  const isThere = team.participant?.some(
    (one) => isSame(one.member, member) && isCurrent(one, caller) && saysSame(one.role?.[0], concept),
  );
  if (isThere) {
    throw new Fault('conflict', 'They are in the team in this role already.', { expression: 'member' });
  }
  const participant: CareTeamParticipant = {
    id: randomUUID(),
    role: [concept],
    member: member as CareTeamParticipant['member'],
    ...(onBehalfOf ? { onBehalfOf: onBehalfOf as CareTeamParticipant['onBehalfOf'] } : {}),
    period: { start, ...(end === undefined ? {} : { end }) },
  };
  return { ...team, participant: [...(team.participant ?? []), withDuties(participant, duties)] };
}

const saysSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** A new role is a new participant beside the old one, which ends where it begins. */
export function changeMember(team: CareTeam, id: string, input: ChangeMember, caller: Caller): CareTeam {
  const { role, from = today(caller), duties } = input;
  const old = find(team, id);
  requireCurrent(old, caller);
  if (role === undefined) return replace(team, id, { ...old, id }, duties);
  requireOrder(old.period?.start, from, ['its start', 'from'], caller);
  const { period: _, ...kept } = old;
  const changed = { ...kept, id: randomUUID(), role: [conceptOf(role)], period: { start: from } };
  const added = withDuties(changed, duties ?? dutiesOf(old));
  const ended = { ...old, id, period: { ...old.period, end: from } };
  const next = replace(team, id, ended, undefined);
  return { ...next, participant: [...(next.participant ?? []), added] };
}

/** @throws Fault unprocessable when they have left already, or would leave before they came */
export function endMember(team: CareTeam, id: string, input: EndMember, caller: Caller): CareTeam {
  const { end = today(caller) } = input;
  const old = find(team, id);
  requireCurrent(old, caller);
  requireOrder(old.period?.start, end, ['its start', 'end'], caller);
  return replace(team, id, { ...old, id, period: { ...old.period, end } }, undefined);
}

/** One leads; who did before does no longer. */
export function leadBy(team: CareTeam, id: string, caller: Caller): CareTeam {
  requireCurrent(find(team, id), caller);
  const participant = keysOf(team).map(({ key, participant: one }) => {
    const duties = dutiesOf(one);
    if (key === id) return withDuties({ ...one, id }, [...new Set<Duty>([...duties, 'lead'])]);
    if (!duties.includes('lead')) return one;
    return withDuties(
      one,
      duties.filter((duty) => duty !== 'lead'),
    );
  });
  return { ...team, participant };
}

function find(team: CareTeam, id: string): CareTeamParticipant {
  const found = keysOf(team).find(({ key }) => key === id);
  if (found) return found.participant;
  throw new Fault('not-found', 'There is no such member in the team.', { expression: 'CareTeam.participant' });
}

function requireCurrent(participant: CareTeamParticipant, caller: Caller): void {
  if (isCurrent(participant, caller)) return;
  throw new Fault('unprocessable', 'They are not in the team now.', {
    expression: 'CareTeam.participant.period',
    code: 'business-rule',
  });
}

function replace(team: CareTeam, id: string, next: CareTeamParticipant, duties: readonly Duty[] | undefined): CareTeam {
  const changed = duties === undefined ? next : withDuties(next, duties);
  return { ...team, participant: keysOf(team).map(({ key, participant }) => (key === id ? changed : participant)) };
}

/** Other extensions stay. */
function withDuties(participant: CareTeamParticipant, duties: readonly Duty[]): CareTeamParticipant {
  const { extension = [], ...rest } = participant;
  const others = extension.filter(({ url }) => url !== DUTY);
  const own = duties.map((valueCode): Extension => ({ url: DUTY, valueCode }));
  const all = [...others, ...own];
  return all.length > 0 ? { ...rest, extension: all } : rest;
}

// How the episode of a case goes from one status to the next.
import type { EpisodeOfCareStatusHistory } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { EPISODE_OF_CARE } from '../../fhir/status/episode-of-care.ts';
import { isEnd } from '../../fhir/status/machine.ts';
import { type Coded, conceptOf } from '../coded.ts';
import { toFhirDateTime, toInstant } from '../local-time.ts';
import type { Caller, Kept } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import { type CaseStatus, withExtension } from './episode.ts';

/** @throws Fault unprocessable naming the statuses that may follow */
function requireNext(from: CaseStatus, to: CaseStatus): void {
  const legal = EPISODE_OF_CARE.successors[from];
  if (legal.includes(to)) return;
  const open = isEnd(EPISODE_OF_CARE, from) ? 'open a new one' : `it can become ${legal.join(', ')}`;
  throw new Fault('unprocessable', `A case that is ${from} cannot become ${to}; ${open}.`, {
    expression: 'EpisodeOfCare.status',
    code: 'business-rule',
  });
}

/** The episode in its next status, since now: the history keeps every status with its time and its reason. */
export function inStatus(
  episode: Kept<'EpisodeOfCare'>,
  status: CaseStatus,
  { now, zone }: Caller,
  reason?: Coded,
): Kept<'EpisodeOfCare'> {
  requireNext(episode.status, status);
  const at = notBefore(episode.period?.start, now, zone);
  const ends = isEnd(EPISODE_OF_CARE, status);
  const because = reason && { valueCodeableConcept: conceptOf(reason) };
  const entered: EpisodeOfCareStatusHistory = { status, period: { start: at, ...(ends ? { end: at } : {}) } };
  const next = {
    ...episode,
    status,
    statusHistory: [
      ...ended(episode, at),
      because ? withExtension(entered, EXTENSION.caseStatusReason, because) : entered,
    ],
    ...(ends ? { period: { ...episode.period, end: at } } : {}),
  };
  return withExtension(next, EXTENSION.caseStatusReason, because);
}

/** The history up to now; the last status is added when whoever set it has not. */
function ended(
  { status, statusHistory = [], period }: Kept<'EpisodeOfCare'>,
  at: string,
): EpisodeOfCareStatusHistory[] {
  const last = statusHistory.at(-1);
  if (last?.status === status && last.period.end === undefined) {
    return [...statusHistory.slice(0, -1), { ...last, period: { ...last.period, end: at } }];
  }
  const start = last?.period.end ?? period?.start;
  return [...statusHistory, { status, period: { ...(start === undefined ? {} : { start }), end: at } }];
}

/** Now, or when the case began if the clock has been set back since. */
function notBefore(start: string | undefined, now: Temporal.Instant, zone: string): string {
  const isBefore = start !== undefined && Temporal.Instant.compare(now, toInstant(start, zone)) < 0;
  return isBefore ? start : toFhirDateTime(now, zone);
}

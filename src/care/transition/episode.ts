// A transition: the EpisodeOfCare that begins with a discharge and ends when all its follow-ups have.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import { claims } from '../claimed-profiles.ts';
import { concept, hasCode, reasonConcept, type TransitionReason } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import { toFhirDateTime, toInstant } from '../local-time.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, EXTENSION, IDENTIFIER } from '../systems.ts';
import { isEmergency } from './discharge.ts';
import type { TransitionContext } from './transition-context.ts';

/** `ENCOUNTERID|DISCHARGEINSTANT`: the same discharge has the same key, however often it is told. */
export function transitionKey(encounterId: string, discharge: Temporal.Instant): string {
  return `${encounterId}|${discharge.toString({ smallestUnit: 'second' })}`;
}

/**
 * Id of the transition that a discharge begins. It follows from the discharge, so that two attempts to begin the same
 * transition collide in the store instead of making two.
 * @param before how many transitions of this encounter there have been
 */
export function episodeIdFor(encounterId: string, discharge: Temporal.Instant, before: number): string {
  return derivedId('transition', transitionKey(encounterId, discharge), String(before));
}

export function keyOfEpisode(episode: EpisodeOfCare): string | undefined {
  return episode.identifier?.find(({ system }) => system === IDENTIFIER.transition)?.value;
}

export function isLive({ status }: EpisodeOfCare): boolean {
  return status === 'active' || status === 'planned' || status === 'waitlist' || status === 'onhold';
}

export function isTransition(episode: EpisodeOfCare): boolean {
  return episode.type?.some((type) => hasCode(type, CODE_SYSTEM.episodeType, 'transition-of-care')) ?? false;
}

/** It holds the notices of a stay. */
export function isOfStay(episode: EpisodeOfCare): boolean {
  return episode.type?.some((type) => hasCode(type, CODE_SYSTEM.episodeType, 'stay-notices')) ?? false;
}

/** It began with a visit of the emergency department: it runs beside those of stays. */
export function isOfEmergency(episode: EpisodeOfCare): boolean {
  return episode.type?.some((type) => hasCode(type, CODE_SYSTEM.episodeType, 'emergency-follow-up')) ?? false;
}

/** Why a transition was withdrawn or never began. */
export function withdrawnBecause(episode: EpisodeOfCare): TransitionReason | undefined {
  const reason = episode.extension?.find(({ url }) => url === EXTENSION.transitionReason)?.valueCodeableConcept;
  const code = reason?.coding?.find(({ system }) => system === CODE_SYSTEM.transitionReason)?.code;
  return code as TransitionReason | undefined;
}

/** Id of the encounter whose discharge began it. */
export function encounterOfEpisode(episode: EpisodeOfCare): string | undefined {
  const link = episode.extension?.find(({ url }) => url === EXTENSION.transitionEncounter);
  return link?.valueReference?.reference?.replace(/^Encounter\//, '');
}

/** When the patient was discharged, as the transition counts it; its key says it too, in case somebody took the period. */
export function dischargeOf(episode: EpisodeOfCare): Temporal.Instant | undefined {
  const start = episode.period?.start ?? keyOfEpisode(episode)?.split('|')[1];
  return start ? toInstant(start, 'UTC') : undefined;
}

/** Id of what holds the notices of a stay by one protocol: begun once, whoever tells of the stay again. */
export function noticesIdFor(encounterId: string, protocolUrl: string): string {
  return derivedId('stay-notices', encounterId, protocolUrl);
}

/** The notices of a stay in progress; its period begins with the admission. */
export function openNotices(context: TransitionContext, team: Link): EpisodeOfCare {
  const type = [concept(CODE_SYSTEM.episodeType, 'stay-notices', 'Notices of a stay')];
  const { meta: _, ...episode } = openEpisode(context, team);
  return { ...episode, type };
}

/** A transition in progress. */
export function openEpisode(context: TransitionContext, team: Link): EpisodeOfCare {
  const { anchor, caseManager } = context;
  return {
    ...describe(context),
    status: 'active',
    period: { start: toFhirDateTime(anchor.discharge, anchor.zone) },
    ...(caseManager ? { careManager: caseManager } : {}),
    team: [team],
  };
}

/** The record that a discharge began no transition, and why. */
export function declineEpisode(context: TransitionContext, reason: TransitionReason): EpisodeOfCare {
  const at = toFhirDateTime(context.anchor.discharge, context.anchor.zone);
  return withReason({ ...describe(context), status: 'cancelled', period: { start: at, end: at } }, reason);
}

/** The transition at its end; with a reason it was withdrawn. */
export function endEpisode(episode: EpisodeOfCare, now: Temporal.Instant, reason?: TransitionReason): EpisodeOfCare {
  const began = episode.period?.start ? toInstant(episode.period.start, 'UTC') : now;
  const ended = Temporal.Instant.compare(now, began) < 0 ? began : now;
  const period = { ...episode.period, end: ended.toString({ smallestUnit: 'second' }) };
  const statusHistory = [...(episode.statusHistory ?? []), { status: episode.status, period }];
  if (!reason) return { ...episode, status: 'finished', statusHistory, period };
  return withReason({ ...episode, status: 'cancelled', statusHistory, period }, reason);
}

/** A transition that had ended before its discharge was taken back: what was done stays, the next discharge counts. */
export function takeBack(episode: EpisodeOfCare): EpisodeOfCare {
  return withReason(episode, 'discharge-cancelled');
}

/** The transition counted from a corrected discharge. */
export function moveEpisode(episode: EpisodeOfCare, context: TransitionContext): EpisodeOfCare {
  const start = toFhirDateTime(context.anchor.discharge, context.anchor.zone);
  return { ...episode, identifier: identifiers(context), period: { ...episode.period, start } };
}

function identifiers({ encounter, anchor }: TransitionContext): EpisodeOfCare['identifier'] {
  return [{ system: IDENTIFIER.transition, value: transitionKey(encounter.id ?? '', anchor.discharge) }];
}

function describe(context: TransitionContext): Omit<EpisodeOfCare, 'status'> {
  return {
    resourceType: 'EpisodeOfCare',
    meta: claims('baton-transition'),
    extension: [{ url: EXTENSION.transitionEncounter, valueReference: referenceTo(context.encounter) }],
    identifier: identifiers(context),
    type: [
      concept(CODE_SYSTEM.episodeType, 'transition-of-care', 'Transition of care'),
      ...(isEmergency(context.encounter)
        ? [concept(CODE_SYSTEM.episodeType, 'emergency-follow-up', 'Follow-up of an emergency visit')]
        : []),
    ],
    patient: referenceTo(context.patient),
    ...(context.facility ? { managingOrganization: context.facility } : {}),
  };
}

function withReason(episode: EpisodeOfCare, reason: TransitionReason): EpisodeOfCare {
  const extension = { url: EXTENSION.transitionReason, valueCodeableConcept: reasonConcept(reason) };
  return { ...episode, extension: [...(episode.extension ?? []), extension] };
}

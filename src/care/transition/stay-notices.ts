// The notices of a stay: the steps of a protocol that begins with an admission, as follow-ups of a plan of their own. Pure.
import type { CarePlan } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { tokenText } from '../../fhir/search/token-text.ts';
import { windowOf } from '../deadline.ts';
import { derivedUrn } from '../derived-id.ts';
import { toFhirDateTime } from '../local-time.ts';
import { narrative } from '../narrative.ts';
import { CLAIMS } from '../plans/claims.ts';
import { referenceTo } from '../reference-to.ts';
import { IDENTIFIER } from '../systems.ts';
import { titleOf } from './apply-plan-definition.ts';
import { INPATIENT_PLAN } from './care-plan.ts';
import { assembleCareTeam } from './care-team.ts';
import { noticesIdFor, openNotices } from './episode.ts';
import { formatKey, type PlanReferences, scheduleFollowUp } from './follow-up.ts';
import type { Protocol, ProtocolStep } from './protocol.ts';
import { attribute } from './provenance.ts';
import { expireAt } from './step-life.ts';
import type { TransitionContext } from './transition-context.ts';

export interface NoticesPlan {
  readonly episode: string;
  readonly changes: readonly Change[];
  readonly followUps: number;
}

/**
 * @param context counted from the admission
 * @returns undefined when nothing of it applies, or all of it has outlived its use: a census that is loaded late
 */
export function planNotices(protocol: Protocol, context: TransitionContext): NoticesPlan | undefined {
  const steps = protocol.steps.filter((step) => step.applies(context) && !isUseless(step, context));
  if (steps.length === 0) return undefined;
  const encounter = context.encounter.id ?? '';
  const episode = noticesIdFor(encounter, protocol.definition.url ?? '');
  const plan: PlanReferences = {
    episode,
    carePlan: { reference: derivedUrn(episode, 'care-plan') },
    careTeam: { reference: derivedUrn(episode, 'care-team') },
    goals: new Map(),
  };
  const tasks = steps.map((step) => ({
    fullUrl: derivedUrn(episode, 'step', step.id),
    resource: scheduleFollowUp(step, protocol.canonical, windowOf(step.timing, context.anchor), plan, context),
    key: formatKey({ episode, step: step.id, occurrence: 1 }),
  }));
  const links = tasks.map(({ fullUrl }) => ({ reference: fullUrl }));
  const title = protocol.definition.title ?? 'Notices of a stay';
  const made = [{ reference: `urn:uuid:${episode}` }, plan.careTeam, plan.carePlan, ...links];
  return {
    episode,
    followUps: tasks.length,
    changes: [
      { op: 'create', resource: openNotices(context, plan.careTeam), id: episode, fullUrl: `urn:uuid:${episode}` },
      { op: 'create', resource: { ...assembleCareTeam(context), name: title }, fullUrl: plan.careTeam.reference },
      {
        op: 'create',
        resource: writePlan({ protocol, title, links, steps, plan }, context),
        fullUrl: plan.carePlan.reference,
      },
      ...tasks.map(({ fullUrl, resource, key }): Change => {
        const query = new URLSearchParams({ identifier: tokenText(IDENTIFIER.followUp, key) });
        return { op: 'create', resource, fullUrl, ifNoneExist: query.toString() };
      }),
      { op: 'create', resource: attribute(made, `Encounter/${encounter}`, 'CREATE', context.now) },
    ],
  };
}

function isUseless({ timing, life }: ProtocolStep, { anchor, now }: TransitionContext): boolean {
  const end = expireAt(life, windowOf(timing, anchor).due, anchor);
  return end !== undefined && Temporal.Instant.compare(end, now) <= 0;
}

interface Written {
  readonly protocol: Protocol;
  readonly title: string;
  readonly links: readonly { readonly reference: string }[];
  readonly steps: readonly ProtocolStep[];
  readonly plan: PlanReferences;
}

function writePlan({ protocol, title, links, steps, plan }: Written, context: TransitionContext): CarePlan {
  const { patient, encounter, facility, anchor, now } = context;
  return {
    resourceType: 'CarePlan',
    meta: { profile: [...CLAIMS.otherPlan] },
    text: narrative(title, steps.map(titleOf)),
    identifier: [{ system: IDENTIFIER.transitionPlan, value: plan.episode }],
    instantiatesCanonical: [protocol.canonical],
    status: 'active',
    intent: 'plan',
    category: INPATIENT_PLAN,
    title,
    subject: referenceTo(patient),
    encounter: referenceTo(encounter),
    period: { start: toFhirDateTime(anchor.discharge, anchor.zone) },
    created: toFhirDateTime(now, anchor.zone),
    ...(facility ? { contributor: [facility] } : {}),
    careTeam: [plan.careTeam],
    supportingInfo: [{ reference: `EpisodeOfCare/${plan.episode}` }],
    activity: links.map((reference) => ({ reference })),
  };
}

// The changes that begin a transition: its episode, the risk, the plan and who made them from what.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import type { TransitionReason } from '../care/concept.ts';
import type { Link } from '../care/reference-to.ts';
import { type ApplyOptions, applyPlanDefinition } from '../care/transition/apply-plan-definition.ts';
import { continuing } from '../care/transition/chain.ts';
import { declineEpisode, episodeIdFor, openEpisode } from '../care/transition/episode.ts';
import { attribute } from '../care/transition/provenance.ts';
import { ofTransition, riskFacts } from '../care/transition/risk-assessment.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import type { Change } from '../fhir/change.ts';
import type { Decision } from './decide.ts';

type Create = Extract<Change, { op: 'create' }>;

export interface StartPlan {
  readonly changes: Change[];
  readonly episode: string;
  /** Position of the CarePlan among the changes. */
  readonly carePlanAt: number;
  readonly followUps: number;
}

/** What went before. */
export interface Before extends Pick<ApplyOptions, 'taken' | 'careTeam'> {
  /** Steps that an earlier plan has seen through. */
  readonly done?: ReadonlyMap<string, Link> | undefined;
  /** Transitions that this one takes the place of. */
  readonly continues?: readonly EpisodeOfCare[];
}

/**
 * The id of the episode follows from the discharge: a second attempt to begin the same transition is refused as a
 * whole by the store, whoever makes it.
 * @param earlier transitions of the same encounter
 */
export function planStart(
  context: TransitionContext,
  decision: Extract<Decision, { start: true }>,
  earlier: readonly EpisodeOfCare[],
  { done = new Map(), continues = [], ...standing }: Before = {},
): StartPlan {
  const encounter = context.encounter.id ?? '';
  const episode = episodeIdFor(encounter, context.anchor.discharge, earlier.length);
  const risks = decision.risk.all.map((each): Create => {
    const { id, ...resource } = ofTransition(each, episode);
    return { op: 'create', resource, id, fullUrl: `urn:uuid:${id}` };
  });
  const risk = { reference: risks[0]?.fullUrl ?? '' };
  const plan = applyPlanDefinition(decision.protocol, context, riskFacts(decision.risk), {
    ...{ episode, risk, done },
    ...standing,
  });
  const made: Change[] = [
    {
      op: 'create',
      resource: continuing(openEpisode(context, plan.careTeam), continues),
      id: episode,
      fullUrl: `urn:uuid:${episode}`,
    },
    ...risks,
    ...plan.changes,
  ];
  const targets = [
    `urn:uuid:${episode}`,
    ...risks.map(({ fullUrl }) => fullUrl ?? ''),
    ...plan.changes.map(({ fullUrl }) => fullUrl),
  ];
  const provenance = attribute(
    targets.map((reference) => ({ reference })),
    `Encounter/${encounter}`,
    'CREATE',
    context.now,
  );
  const carePlanAt = made.findIndex((change) => change.op === 'create' && change.fullUrl === plan.carePlan.reference);
  return { changes: [...made, { op: 'create', resource: provenance }], episode, carePlanAt, followUps: plan.followUps };
}

/** The record of a discharge that begins nothing. */
export function planDecline(
  context: TransitionContext,
  reason: TransitionReason,
  earlier: readonly EpisodeOfCare[],
): Change[] {
  const id = episodeIdFor(context.encounter.id ?? '', context.anchor.discharge, earlier.length);
  return [{ op: 'create', resource: declineEpisode(context, reason), id }];
}

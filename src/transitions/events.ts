// What transitions tell the rest of the process after it is committed: ids, steps and times, nothing about the patient.
import type { TransitionReason } from '../care/concept.ts';
import type { RiskBand } from '../care/transition/risk-method.ts';
import type { Told } from '../care/transition/step-life.ts';

export type TransitionEvent =
  | {
      readonly kind: 'transition-started';
      readonly episode: string;
      readonly encounter: string;
      readonly patient: string;
      /** Canonical of the PlanDefinition. */
      readonly protocol: string;
      /** Points by the risk method that decides. */
      readonly score: number;
      readonly band: RiskBand;
      readonly carePlan: string;
      readonly followUps: number;
    }
  | { readonly kind: 'transition-declined'; readonly encounter: string; readonly reason: TransitionReason }
  | {
      readonly kind: 'transition-withdrawn';
      readonly episode: string;
      readonly encounter: string;
      readonly reason: TransitionReason;
    }
  /** Notices of a stay are to be given. */
  | {
      readonly kind: 'notices-begun';
      readonly episode: string;
      readonly encounter: string;
      /** Canonical of the PlanDefinition. */
      readonly protocol: string;
      readonly followUps: number;
    }
  /** A corrected discharge time moved the follow-ups that nobody had begun. */
  | {
      readonly kind: 'transition-moved';
      readonly episode: string;
      readonly encounter: string;
      readonly followUps: number;
    }
  /** Late data made the risk another one. */
  | {
      readonly kind: 'transition-risk-changed';
      readonly episode: string;
      readonly encounter: string;
      readonly score: number;
      readonly band: RiskBand;
    }
  | { readonly kind: 'transition-completed'; readonly episode: string; readonly encounter: string }
  /** The log entry could not be acted on; it is passed over so that others are not held up. */
  | { readonly kind: 'transition-failed'; readonly type: string; readonly id: string; readonly versionId: string }
  /** Ended by the sweep instead of being raised: its transition is over, or its protocol does not want it so late. */
  | {
      readonly kind: 'follow-up-skipped';
      readonly episode: string;
      readonly step: string;
      readonly task: string;
      readonly reason: TransitionReason;
    }
  | (FollowUpEvent & { readonly kind: 'follow-up-due' })
  | (FollowUpEvent & { readonly kind: 'follow-up-reminded' })
  /** It has outlived its use. */
  | (FollowUpEvent & { readonly kind: 'follow-up-expired'; readonly credited: boolean })
  /** It was missed, or climbed further: who was told last, and the supervisor's Task when there is one now. */
  | (FollowUpEvent & { readonly kind: 'follow-up-escalated'; readonly told?: Told; readonly escalation?: string });

interface FollowUpEvent {
  readonly episode: string;
  readonly step: string;
  readonly task: string;
  /** FHIR dateTime of the deadline, when it has one. */
  readonly due?: string;
  /** Between the moment it was to happen and now. */
  readonly lateSeconds: number;
}

export type Emit = (event: TransitionEvent) => void;

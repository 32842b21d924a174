// By what a Task is known as a review of the plan.
import type { Task } from '@medplum/fhirtypes';
import { concept, hasCode } from '../concept.ts';
import { CODE_SYSTEM } from '../systems.ts';

const WORDS = {
  'plan-review': 'Review of the care plan',
  reviewed: 'Reviewed',
  outcome: 'Outcome',
  continue: 'Continue',
  revise: 'Revise',
  close: 'Close',
} as const;
export type ReviewCode = keyof typeof WORDS;

export const reviewConcept = (code: ReviewCode) => concept(CODE_SYSTEM.planReview, code, WORDS[code]);

export const isReview = ({ code }: Task): boolean => hasCode(code, CODE_SYSTEM.planReview, 'plan-review');

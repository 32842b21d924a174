// How documents from elsewhere are matched and merged: by the rules of sync, with nothing that a connection sets.
import type { Policies } from '../sync/conflicts/policies.ts';
import { type MatchRuleSets, matchingOf, type PatientMatching } from '../sync/patients/match-rules.ts';

export interface ExchangeRules {
  readonly policies: Policies;
  readonly matching: PatientMatching;
}

export function exchangeRulesOf(policies: Policies, matching: MatchRuleSets): ExchangeRules {
  return { policies, matching: matchingOf(matching) };
}

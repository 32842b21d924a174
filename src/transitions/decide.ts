// What a discharge calls for: a protocol, or nothing and why. Pure.

import type { TransitionReason } from '../care/concept.ts';
import { chooseProtocol, type Protocol } from '../care/transition/protocol.ts';
import { type AssessedRisk, assessRisk, riskFacts } from '../care/transition/risk-assessment.ts';
import type { DischargeFacts } from './facts.ts';
import type { Rules } from './parts.ts';
import type { ChainReason } from './stays.ts';

export type Decision =
  | { readonly start: true; readonly protocol: Protocol; readonly risk: AssessedRisk }
  | { readonly start: false; readonly reason: TransitionReason };

/** @param later what a later stay made of this one; undefined when there is none */
export function decide(facts: DischargeFacts, rules: Rules, later: ChainReason | undefined): Decision {
  const { context, riskData } = facts;
  const { destination, patient } = context;
  const isDead = destination === 'died' || patient.deceasedBoolean || patient.deceasedDateTime;
  // Only a protocol that is for the dead begins, such as one for condolences.
  if (isDead && destination !== 'died') return decline('died');
  if (destination === 'acute-hospital') return decline('transferred');
  if (later) return decline(later);
  const risk = assessRisk(context, riskData, rules);
  const protocol = chooseProtocol(rules.protocols, context, riskFacts(risk));
  return protocol ? { start: true, protocol, risk } : decline(isDead ? 'died' : 'no-protocol');
}

const decline = (reason: TransitionReason): Decision => ({ start: false, reason });

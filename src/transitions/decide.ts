// What a discharge calls for: a protocol, or nothing and why. Pure.

import type { TransitionReason } from '../care/concept.ts';
import { chooseProtocol, type Protocol } from '../care/transition/protocol.ts';
import { type AssessedRisk, assessRisk, riskFacts } from '../care/transition/risk-assessment.ts';
import type { DischargeFacts } from './facts.ts';
import type { Rules } from './parts.ts';

export type Decision =
  | { readonly start: true; readonly protocol: Protocol; readonly risk: AssessedRisk }
  | { readonly start: false; readonly reason: TransitionReason };

/** @param backInHospital the patient has been admitted again since */
export function decide(facts: DischargeFacts, rules: Rules, backInHospital: boolean): Decision {
  const { context, riskData } = facts;
  const { destination, patient } = context;
  if (destination === 'died' || patient.deceasedBoolean || patient.deceasedDateTime) return decline('died');
  if (destination === 'acute-hospital') return decline('transferred');
  if (backInHospital) return decline('readmitted');
  const risk = assessRisk(context, riskData, rules);
  const protocol = chooseProtocol(rules.protocols, context, riskFacts(risk));
  return protocol ? { start: true, protocol, risk } : decline('no-protocol');
}

const decline = (reason: TransitionReason): Decision => ({ start: false, reason });

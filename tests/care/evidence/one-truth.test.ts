// What protocols follow up and credit is what the evidence asks for. domain.md §1.1 (separate attempts), §1.2 (FUH, FUM).
import { expect, it } from 'vitest';
import { behavioralEvidence } from '../../../src/care/evidence/behavioral.ts';
import { BEHAVIORAL, TCM } from '../../../src/care/evidence/evidence-rules.ts';
import { chooseProtocol } from '../../../src/care/transition/protocol.ts';
import { assessRisk, riskFacts } from '../../../src/care/transition/risk-assessment.ts';
import { NO_RISK_DATA } from '../../../src/care/transition/risk-inputs.ts';
import { protocols, riskRules } from '../artifacts.ts';
import { condition, sampleContext, sampleEncounter } from '../sample.ts';
import { facts } from './evidence-sample.ts';

const numbered = (letter: string) =>
  Array.from({ length: 100 }, (_, at) => `${letter}${String(at).padStart(2, '0')}.0`);
const CODES = [...numbered('F'), ...numbered('X'), 'T14.91XA', 'R45.88', 'R45.851', 'I50.9'];

it.each([
  ['IMP', 'FUH', 'transition-behavioral-health'],
  ['EMER', 'FUM', 'transition-emergency-mental-health'],
])('after a visit of class %s the diagnoses of %s are those that begin %s', (code, measure, protocol) => {
  const encounter = sampleEncounter({
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code },
  });
  for (const diagnosis of CODES) {
    const conditions = [condition('c1', diagnosis)];
    const context = sampleContext({ encounter, conditions, destination: 'home' });
    const chosen = chooseProtocol(protocols, context, riskFacts(assessRisk(context, NO_RISK_DATA, riskRules)));
    const evidence = behavioralEvidence(facts({ encounter, conditions }), BEHAVIORAL);
    const isProtocol = chosen?.definition.id === protocol;
    expect([diagnosis, evidence?.measure === measure]).toEqual([diagnosis, isProtocol]);
  }
});

it('attempts that a protocol credits are as many and as far apart as the evidence wants', () => {
  const credits = protocols.flatMap(({ steps }) => steps.flatMap(({ life }) => life.credit ?? []));
  expect(credits.length).toBeGreaterThan(5);
  for (const { attempts, apartHours } of credits) {
    expect([attempts, apartHours * 60]).toEqual([TCM.attempts, TCM.attemptsApartMinutes]);
  }
});

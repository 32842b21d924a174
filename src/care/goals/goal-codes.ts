// HL7's codes of achievement and priority. https://hl7.org/fhir/R4/valueset-goal-achievement.html
import type { CodeableConcept } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { concept } from '../concept.ts';
import type { Achievement } from './goal-schema.ts';

const ACHIEVEMENT = 'http://terminology.hl7.org/CodeSystem/goal-achievement';
const PRIORITY = 'http://terminology.hl7.org/CodeSystem/goal-priority';

export const achievementOf = (code: Achievement): CodeableConcept => ({ coding: [{ system: ACHIEVEMENT, code }] });

export const priorityOf = (word: 'high' | 'medium' | 'low'): CodeableConcept =>
  concept(PRIORITY, `${word}-priority`, `${word.replace(/^./, (first) => first.toUpperCase())} Priority`);

/** The code of HL7's own system, else what a person reads. */
export function codeOrWords(value: CodeableConcept | undefined): string | undefined {
  const own = value?.coding?.find(({ system }) => system === ACHIEVEMENT || system === PRIORITY)?.code;
  return own ?? codedOf(value)?.text ?? codedOf(value)?.code;
}

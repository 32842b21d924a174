// The LACE index: points for length of stay, acuity of admission, comorbidity and emergency visits.
// van Walraven et al., CMAJ 2010;182:551; the points as in BMC Cardiovasc Disord 2014;14:97, table 1.
import type { Comorbidity } from './comorbidity.ts';

export interface LaceInput {
  /** Calendar nights between admission and discharge. */
  readonly nights: number;
  /** Unplanned admission. */
  readonly acute: boolean;
  readonly comorbidities: readonly Comorbidity[];
  /** Emergency visits in the six months before the admission, without the one that led to it. */
  readonly emergencyVisits: number;
}

export type RiskBand = 'low' | 'moderate' | 'high';

export interface LaceScore {
  readonly lengthOfStay: number;
  readonly acuity: number;
  readonly comorbidity: number;
  readonly emergency: number;
  /** 0 to 19. */
  readonly total: number;
  readonly band: RiskBand;
}

/** The index; 0-4 is low, 5-9 moderate, 10 and more high. */
export function scoreLace(input: LaceInput): LaceScore {
  const lengthOfStay = stayPoints(input.nights);
  const acuity = input.acute ? 3 : 0;
  const comorbidity = comorbidityPoints(input.comorbidities);
  const emergency = Math.min(Math.max(input.emergencyVisits, 0), 4);
  const total = lengthOfStay + acuity + comorbidity + emergency;
  return { lengthOfStay, acuity, comorbidity, emergency, total, band: bandOf(total) };
}

function stayPoints(nights: number): number {
  if (nights < 1) return 0;
  if (nights < 4) return Math.floor(nights);
  if (nights < 7) return 4;
  return nights < 14 ? 5 : 7;
}

/** A sum of up to 3 counts as it is, more counts 5. */
function comorbidityPoints(comorbidities: readonly Comorbidity[]): number {
  const sum = comorbidities.reduce((points, { weight }) => points + weight, 0);
  return sum > 3 ? 5 : sum;
}

function bandOf(total: number): RiskBand {
  if (total >= 10) return 'high';
  return total >= 5 ? 'moderate' : 'low';
}

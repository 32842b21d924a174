// What a risk score asks of a stay, answered from the resources that are stored, with what shows it and what is missing.
import type { Condition, Encounter, Observation, Procedure } from '@medplum/fhirtypes';
import { localDate, toInstant } from '../local-time.ts';
import type { AnsweredInput, MissingInput } from './answered-input.ts';
import { type Comorbidity, type ComorbidityTable, isReadable } from './comorbidity.ts';
import { lastResult } from './last-result.ts';
import type { ComponentOf, Known, RiskComponent } from './risk-method.ts';
import { admissionOf, isWithin, type StayTime, stayOf } from './stay-time.ts';
import type { TransitionContext } from './transition-context.ts';

/** What is read from the store for a risk, beside the context. */
export interface RiskData {
  /** The patient's that began before the admission, as far back as some method asks. */
  readonly earlierEncounters: readonly Encounter[];
  /** Of the patient, with the codes that some method asks for. */
  readonly results: readonly Observation[];
  /** Of the patient. */
  readonly procedures: readonly Procedure[];
}

export const NO_RISK_DATA: RiskData = { earlierEncounters: [], results: [], procedures: [] };

/** How the inputs are read; made once from profiles/. */
export interface InputRules {
  readonly comorbidities: ComorbidityTable;
  /** Undefined when the encounter does not say. */
  readonly isAcute: (encounter: Encounter) => boolean | undefined;
}

export interface RiskStay extends RiskData {
  readonly context: TransitionContext;
  readonly rules: InputRules;
}

/** Answers what one component of a score asks. */
export function answerInput(component: RiskComponent, stay: RiskStay): AnsweredInput {
  switch (component.input) {
    case 'length-of-stay':
      return nights(stay);
    case 'acuity':
      return acuity(stay);
    case 'comorbidity':
      return comorbidities(stay, (found) => found.reduce((sum, { weight }) => sum + weight, 0));
    case 'diagnosis':
      return diagnosis(component, stay);
    case 'earlier-encounters':
      return earlierEncounters(component, stay);
    case 'last-result':
      return lastResult(component, stay.results, stayOf(stay.context));
    case 'service':
      return service(component, stay);
    case 'procedures':
      return procedures(component, stay);
  }
}

const exactly = (value: number): Known => ({ low: value, high: value });
const ADMISSION_TIME: MissingInput = { code: 'admission-time', words: 'admission time' };

function nights({ context }: RiskStay): AnsweredInput {
  const { discharge, zone } = context.anchor;
  const admission = admissionOf(context);
  if (!admission) return { shownBy: [], missing: [ADMISSION_TIME] };
  const count = localDate(admission, zone).until(localDate(discharge, zone), { largestUnit: 'days' }).days;
  return { known: exactly(Math.max(0, count)), shownBy: [], missing: [] };
}

function acuity({ context, rules }: RiskStay): AnsweredInput {
  const acute = rules.isAcute(context.encounter);
  if (acute === undefined) return { shownBy: [], missing: [{ code: 'admission-type', words: 'admission type' }] };
  return { known: exactly(acute ? 1 : 0), shownBy: [], missing: [] };
}

function comorbidities(
  { context, rules }: RiskStay,
  count: (found: readonly Comorbidity[]) => number,
  counts: (condition: Condition, found: readonly Comorbidity[]) => boolean = () => true,
): AnsweredInput {
  const { found, shownBy } = rules.comorbidities.find(context.conditions);
  const unreadable = context.conditions.filter((condition) => !isReadable(condition)).length;
  const words = `ICD-10-CM codes of ${unreadable} conditions`;
  return {
    known: exactly(count(found)),
    shownBy: shownBy.filter((condition) => counts(condition, found)),
    missing: unreadable > 0 ? [{ code: 'diagnosis-codes', words }] : [],
  };
}

function diagnosis({ comorbidities: wanted }: ComponentOf<'diagnosis'>, stay: RiskStay): AnsweredInput {
  const has = (found: readonly Comorbidity[]) => found.some(({ code }) => wanted.includes(code));
  const shows = (condition: Condition) => has(stay.rules.comorbidities.find([condition]).found);
  return comorbidities(stay, (found) => (has(found) ? 1 : 0), shows);
}

function earlierEncounters(component: ComponentOf<'earlier-encounters'>, stay: RiskStay): AnsweredInput {
  const admission = admissionOf(stay.context);
  if (!admission) return { shownBy: [], missing: [ADMISSION_TIME] };
  const { zone } = stay.context.anchor;
  const earliest = admission.toZonedDateTimeISO(zone).subtract({ months: component.months }).toInstant();
  const latestEnd = admission.subtract({ hours: component.apartHours });
  const counted = stay.earlierEncounters.filter((encounter) => {
    const { status, period } = encounter;
    if (encounter.id === stay.context.encounter.id || !component.classes.includes(encounter.class.code ?? ''))
      return false;
    if (status === 'cancelled' || status === 'entered-in-error' || status === 'planned') return false;
    // One that did not end, or ended with the admission, led to it.
    if (!period?.start || !period.end) return false;
    const [start, end] = [toInstant(period.start, zone), toInstant(period.end, zone)];
    return Temporal.Instant.compare(start, earliest) >= 0 && Temporal.Instant.compare(end, latestEnd) <= 0;
  });
  return { known: exactly(counted.length), shownBy: counted, missing: [] };
}

function service({ code, name, codes }: ComponentOf<'service'>, { context }: RiskStay): AnsweredInput {
  const codings = context.encounter.serviceType?.coding ?? [];
  if (codings.length === 0) return { shownBy: [], missing: [{ code, words: name }] };
  const isOne = codings.some((coding) => codes.includes(`${coding.system}|${coding.code}`));
  return { known: exactly(isOne ? 1 : 0), shownBy: [], missing: [] };
}

const DONE: readonly Procedure['status'][] = ['completed', 'in-progress', 'stopped'];

function procedures({ code, systems }: ComponentOf<'procedures'>, stay: RiskStay): AnsweredInput {
  const during = stayOf(stay.context);
  const own = stay.procedures.filter((one) => DONE.includes(one.status) && isDuring(one, during));
  const coded = own.filter((one) => one.code?.coding?.some(({ system }) => systems.includes(system ?? '')));
  // One with a code is enough; what the others were decides only when there is none.
  const unread = coded.length > 0 ? 0 : own.length;
  return {
    known: exactly(coded.length),
    shownBy: coded,
    missing: unread > 0 ? [{ code, words: `ICD codes of ${unread} procedures` }] : [],
  };
}

function isDuring({ encounter, performedDateTime, performedPeriod }: Procedure, stay: StayTime): boolean {
  if (encounter?.reference !== undefined) return encounter.reference === stay.encounter;
  const began = performedDateTime ?? performedPeriod?.start;
  return began !== undefined && isWithin(began, stay);
}

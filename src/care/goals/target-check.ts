// Targets that cannot be: in the past, upside down, or against each other.
import { Fault } from '../../fault.ts';
import { today } from '../given-time.ts';
import type { Measured, Value } from '../measured-value.ts';
import type { Caller } from '../records.ts';
import type { Target } from './goal-schema.ts';

/**
 * @param known targets that stay as they are: their due date may have passed
 * @throws Fault unprocessable naming the member
 */
export function checkTargets(
  targets: readonly Target[],
  caller: Caller,
  { start, known = [] }: { readonly start?: string | undefined; readonly known?: readonly Target[] } = {},
): void {
  const day = today(caller);
  for (const [at, target] of targets.entries()) {
    const { due, detail, measure } = target;
    const member = `targets[${at}]`;
    const isKnown = known.some((one) => one.due === due && sameMeasure(one, target));
    if (due && due < day && !isKnown)
      throw refuse(`${member}.due`, 'lies in the past; give a date that is still to come');
    if (due && start && due < start) throw refuse(`${member}.due`, 'lies before the start of the goal');
    if (detail && !measure) throw refuse(`${member}.measure`, 'is missing: a detail says what a measure is to be');
    const { low, high } = detail?.range ?? {};
    if (low && high && low.value > high.value) throw refuse(`${member}.detail.range`, 'has a low above its high');
    const other = targets.slice(0, at).findIndex((one) => contradict(one, target));
    if (other >= 0) throw refuse(member, `contradicts targets[${other}]: both cannot be reached by the same date`);
  }
}

/** Of the same measure at the same time, with values that no measurement can have at once. */
function contradict(one: Target, other: Target): boolean {
  if (!one.measure || !other.measure || !one.detail || !other.detail || one.due !== other.due) return false;
  if (!sameMeasure(one, other)) return false;
  if (one.detail.boolean !== undefined && other.detail.boolean !== undefined) {
    return one.detail.boolean !== other.detail.boolean;
  }
  const [left, right] = [spanOf(one.detail), spanOf(other.detail)];
  if (!left || !right || left.unit !== right.unit) return false;
  return isBelow(left, right) || isBelow(right, left);
}

function sameMeasure({ measure: one }: Target, { measure: other }: Target): boolean {
  if (one?.code === undefined) return other?.code === undefined && one?.text === other?.text;
  return one.system === other?.system && one.code === other?.code;
}

interface Span {
  readonly low: number;
  readonly high: number;
  /** Whether the end itself is outside. */
  readonly openLow?: boolean;
  readonly openHigh?: boolean;
  readonly unit: string;
}

function spanOf({ quantity, range, integer }: Value): Span | undefined {
  if (integer !== undefined) return { low: integer, high: integer, unit: '' };
  if (quantity) return spanOfQuantity(quantity);
  if (!range) return undefined;
  const unit = unitOf(range.low ?? range.high);
  return { low: range.low?.value ?? -Infinity, high: range.high?.value ?? Infinity, unit };
}

function spanOfQuantity(quantity: Measured): Span {
  const { value, comparator } = quantity;
  const unit = unitOf(quantity);
  if (comparator === '<' || comparator === '<=')
    return { low: -Infinity, high: value, openHigh: comparator === '<', unit };
  if (comparator === '>' || comparator === '>=')
    return { low: value, high: Infinity, openLow: comparator === '>', unit };
  return { low: value, high: value, unit };
}

const unitOf = (quantity: { code?: string; unit?: string } | undefined) => quantity?.code ?? quantity?.unit ?? '';

function isBelow(one: Span, other: Span): boolean {
  return one.high < other.low || (one.high === other.low && (one.openHigh === true || other.openLow === true));
}

function refuse(member: string, what: string): Fault {
  return new Fault('unprocessable', `${member} ${what}.`, { expression: member, code: 'business-rule' });
}

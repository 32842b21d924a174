// When every step of a pathway is to be done: from the start of the plan, through groups and related actions, whether or
// not a step turns out to apply, so that one step left out does not move the others.
import { type Amount, shift } from './amount.ts';
import { type Relation, type Step, stepsOf } from './pathway.ts';
import { at, refusal } from './refusal.ts';
import { applyTiming, type PlanClock, type Span } from './timing.ts';

/**
 * Spans by step id.
 * @throws Fault unprocessable when related actions wait for each other, or a deadline lies before its beginning
 */
export function scheduleSteps(steps: readonly Step[], clock: PlanClock): ReadonlyMap<string, Span> {
  const all = stepsOf(steps);
  const byId = new Map(all.map((step) => [step.id, step]));
  const parents = new Map(all.flatMap((step) => step.steps.map((child) => [child.id, step] as const)));
  const spans = new Map<string, Span>();
  const open: string[] = [];

  /** From its relations, its timing and its group; for a group without what its steps add. */
  function spanOf(step: Step): Span {
    const known = spans.get(step.id);
    if (known) return known;
    if (open.includes(step.id)) throw waitsForItself(step, [...open.slice(open.indexOf(step.id)), step.id]);
    open.push(step.id);
    const span = checked(step, timed(step, related(step)));
    open.pop();
    spans.set(step.id, span);
    return span;
  }

  function related(step: Step): Span {
    const parent = parents.get(step.id);
    const inherited = parent ? spanOf(parent).start : clock.start;
    const bounds = step.relations.map((relation) => boundsOf(relation, anchorOf(relation), clock));
    const start = latest(bounds.flatMap((bound) => bound.start ?? []));
    const end = earliest(bounds.flatMap((bound) => bound.end ?? []));
    return { start: start ?? inherited, ...(end ? { end } : {}) };
  }

  function anchorOf({ to, relationship }: Relation): Temporal.Instant {
    const target = byId.get(to) as Step;
    return isAtStart(relationship) ? spanOf(target).start : endOf(target);
  }

  function endOf(step: Step): Temporal.Instant {
    const { start, end } = spanOf(step);
    if (end) return end;
    return latest(step.steps.map(endOf)) ?? start;
  }

  function timed(step: Step, span: Span): Span {
    if (!step.timing) return span;
    const own = applyTiming(step.timing, span.start, clock, step.place);
    const end = earliest([...(own.end ? [own.end] : []), ...(span.end ? [span.end] : [])]);
    return { start: own.start, ...(end ? { end } : {}) };
  }

  for (const step of all) spanOf(step);
  return new Map(all.map((step) => [step.id, step.steps.length > 0 ? withEnd(step) : spanOf(step)]));

  function withEnd(step: Step): Span {
    return { start: spanOf(step).start, end: endOf(step) };
  }
}

interface Bounds {
  readonly start?: Temporal.Instant;
  readonly end?: Temporal.Instant;
}

const isAtStart = (relationship: Relation['relationship']) =>
  ['before-start', 'before', 'concurrent', 'concurrent-with-start', 'after-start'].includes(relationship);

/** What a relation says of a step, given the moment of the other that it is about. */
function boundsOf({ relationship, low, high }: Relation, anchor: Temporal.Instant, clock: PlanClock): Bounds {
  const move = (amount: Amount | undefined, direction: 1 | -1, edge: 'begins' | 'ends') =>
    amount ? shift(anchor, amount, direction, edge, clock) : anchor;
  if (relationship.startsWith('after')) {
    return { start: move(low, 1, 'begins'), ...(high ? { end: move(high, 1, 'ends') } : {}) };
  }
  if (relationship.startsWith('before')) {
    const end = low ? move(low, -1, 'ends') : anchor;
    return { end, ...(high ? { start: move(high, -1, 'begins') } : {}) };
  }
  return relationship === 'concurrent-with-end' ? { end: anchor } : { start: anchor };
}

function checked(step: Step, span: Span): Span {
  if (!span.end || Temporal.Instant.compare(span.start, span.end) <= 0) return span;
  throw refusal(
    at(step.place, 'PlanDefinition.action.relatedAction'),
    'its offsets are impossible: it would have to be done before it can begin.',
  );
}

function waitsForItself(step: Step, path: readonly string[]) {
  return refusal(at(step.place, 'PlanDefinition.action.relatedAction'), `it waits for itself: ${path.join(' → ')}.`);
}

function latest(instants: readonly Temporal.Instant[]): Temporal.Instant | undefined {
  return instants.toSorted(Temporal.Instant.compare).at(-1);
}

function earliest(instants: readonly Temporal.Instant[]): Temporal.Instant | undefined {
  return instants.toSorted(Temporal.Instant.compare)[0];
}

// Which of a group's actions are taken: by its selection behaviour, what each requires, what is ticked beforehand, and
// what the person who applies the pathway has chosen. https://hl7.org/fhir/R4/plandefinition.html
import { type Step, stepsOf } from './pathway.ts';
import { at, type Place, refusal } from './refusal.ts';

/** What a person decided about actions before applying, by step id. */
export interface Choice {
  /** How often each chosen action is taken; a group in which nothing is chosen follows the pathway's own defaults. */
  readonly take?: ReadonlyMap<string, number>;
  /** Why an action is left out. */
  readonly omit?: ReadonlyMap<string, string>;
}

export interface Taken {
  readonly step: Step;
  readonly times: number;
}

/** Of an action that does not say: `could` is left to the person. */
const requiredOf = ({ action }: Step) => action.requiredBehavior ?? 'could';
const isTicked = ({ action }: Step) => action.precheckBehavior === 'yes';
const isUnticked = ({ action }: Step) => action.precheckBehavior === 'no';

/**
 * @param applicable actions of the group whose conditions hold
 * @param group the action that holds them; undefined at the top of a pathway
 * @throws Fault unprocessable naming the actions to choose from, when the pathway leaves open which one it is, or when a
 *   choice goes against it
 */
export function selectSteps(
  applicable: readonly Step[],
  group: Step | undefined,
  choice: Choice,
  place: Place,
): Taken[] {
  const behaviour = group?.action.selectionBehavior ?? (group ? 'any' : 'all');
  const offered = applicable.filter((step) => !isOmitted(step, choice));
  const chosen = chosenAmong(offered, choice);
  return decide(behaviour, offered, chosen, at(place, 'PlanDefinition.action.selectionBehavior')).map((step) => ({
    step,
    times: timesOf(step, choice),
  }));
}

function decide(
  behaviour: string,
  offered: readonly Step[],
  chosen: readonly Step[] | undefined,
  place: Place,
): readonly Step[] {
  const ids = offered.map(({ id }) => id).join(', ');
  switch (behaviour) {
    case 'all':
      return offered;
    case 'all-or-none': {
      const wanted = chosen ?? offered.filter((step) => !isUnticked(step));
      const isAll = wanted.length > 0 || offered.some(isNeeded);
      return isAll ? offered : [];
    }
    case 'any':
    case 'one-or-more': {
      const taken = offered.filter((step) => isNeeded(step) || (chosen?.includes(step) ?? !isUnticked(step)));
      if (behaviour === 'any' || taken.length > 0) return taken;
      if (offered.length <= 1) return offered;
      throw refusal(place, `choose one or more of ${ids}.`);
    }
    case 'exactly-one':
    case 'at-most-one': {
      const taken = chosen ? offered.filter((step) => chosen.includes(step) || isNeeded(step)) : defaultOne(offered);
      if (taken.length > 1) throw refusal(place, `only one of ${taken.map(({ id }) => id).join(', ')} can be taken.`);
      if (taken.length === 1 || behaviour === 'at-most-one' || offered.length === 0) return taken;
      throw refusal(place, `choose exactly one of ${ids}.`);
    }
    default:
      throw refusal(place, `selectionBehavior ${behaviour} is not known.`);
  }
}

/** Without a choice: what must be, else what is ticked, else the only one there is. */
function defaultOne(offered: readonly Step[]): readonly Step[] {
  const needed = offered.filter(isNeeded);
  if (needed.length > 0) return needed;
  const ticked = offered.filter(isTicked);
  if (ticked.length > 0) return ticked;
  const open = offered.filter((step) => !isUnticked(step));
  return open.length === 1 ? open : [];
}

const isNeeded = (step: Step) => requiredOf(step) !== 'could';

/** Undefined when the person has chosen nothing in this group: then its defaults hold. */
function chosenAmong(offered: readonly Step[], { take }: Choice): Step[] | undefined {
  const chosen = offered.filter((step) => stepsOf([step]).some(({ id }) => take?.has(id)));
  return chosen.length > 0 ? chosen : undefined;
}

function isOmitted(step: Step, { omit }: Choice): boolean {
  const reason = omit?.get(step.id);
  if (reason === undefined) return false;
  const here = at(step.place, 'PlanDefinition.action.requiredBehavior');
  if (requiredOf(step) === 'must') throw refusal(here, 'it must be done and cannot be left out.');
  if (requiredOf(step) === 'must-unless-documented' && reason.trim() === '') {
    throw refusal(here, 'it can be left out only with a reason.');
  }
  return true;
}

const MOST_TIMES = 20;

function timesOf(step: Step, { take }: Choice): number {
  const times = take?.get(step.id) ?? 1;
  if (times === 1) return 1;
  const here = at(step.place, 'PlanDefinition.action.cardinalityBehavior');
  if (step.action.cardinalityBehavior !== 'multiple') throw refusal(here, 'it can be taken only once.');
  if (Number.isInteger(times) && times > 0 && times <= MOST_TIMES) return times;
  throw refusal(here, `it can be taken 1 to ${MOST_TIMES} times.`);
}

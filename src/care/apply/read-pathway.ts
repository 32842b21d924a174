// PlanDefinition → Pathway: everything that can be wrong with one is found here, before anybody is planned for.
import type { ActivityDefinition, PlanDefinition, PlanDefinitionAction } from '@medplum/fhirtypes';
import { EXTENSION } from '../systems.ts';
import { whyNotMade } from './activity.ts';
import { readAmount } from './amount.ts';
import type { Lookup } from './definition-source.ts';
import { readDynamicValue } from './dynamic-value.ts';
import { type CompiledExpression, compileExpression, variablesIn } from './expression.ts';
import { isVariable } from './facts.ts';
import type { Activity, Pathway, PathwayGoal, PathwayQuery, Relation, Relationship, Step } from './pathway.ts';
import { stepsOf } from './pathway.ts';
import { at, type Place, refusal } from './refusal.ts';
import { scheduleSteps } from './schedule.ts';
import { dayCountOf, readActionTiming } from './timing.ts';

/** What the actions of one definition are read with. */
interface Reading {
  readonly definition: PlanDefinition;
  /** How often each id is the id of an action of the definition. */
  readonly ids: ReadonlyMap<string, number>;
  readonly name: string;
  readonly libraries: readonly string[];
  /** In front of the ids of a nested definition; empty at the top. */
  readonly prefix: string;
  /** Canonicals of the definitions around this one and its own. */
  readonly path: readonly string[];
  readonly lookup: Lookup;
  /** Filled while reading. */
  readonly goals: PathwayGoal[];
  readonly queries: PathwayQuery[];
}

/**
 * @param parameters names of variables that whoever applies it gives
 * @throws Fault unprocessable naming pathway and action: a definition that is missing or contains itself, an expression
 *   that cannot be compiled or names a variable there is not, an offset to an action there is not, an impossible offset…
 */
export function readPathway(definition: PlanDefinition, lookup: Lookup, parameters: readonly string[] = []): Pathway {
  const name = nameOf(definition);
  const canonical = canonicalOf(definition);
  const place: Place = { pathway: name, element: 'PlanDefinition.url' };
  if (!definition.url) throw refusal(place, 'it must have a url.');
  if (!definition.action?.length) throw refusal(at(place, 'PlanDefinition.action'), 'it has no actions.');
  const goals: PathwayGoal[] = [];
  const queries: PathwayQuery[] = [];
  const reading: Reading = {
    ...{ definition, name, lookup, goals, queries },
    ids: countIds(definition.action),
    libraries: definition.library ?? [],
    prefix: '',
    path: [canonical],
  };
  const steps = readBody(reading, definition.action);
  const named = new Set(queries.map((query) => query.name));
  const expressions = expressionsOf(steps);
  for (const [expression, where] of expressions) {
    const unknown = expression.variables.find(
      (variable) => !isVariable(variable) && !named.has(variable) && !parameters.includes(variable),
    );
    if (unknown !== undefined) throw refusal(where, `the variable %${unknown} is not known here.`);
  }
  checkGoals(steps, goals);
  checkSchedule(steps);
  return {
    definition,
    canonical,
    name,
    steps,
    goals,
    queries,
    variables: new Set([
      ...expressions.flatMap(([{ variables }]) => variables),
      ...queries.flatMap(({ query }) => variablesIn(query)),
      ...(goals.some(({ goal }) => goal.addresses) ? ['conditions'] : []),
    ]),
    libraries: new Set(expressions.flatMap(([{ library }]) => library ?? [])),
  };
}

/** `url|version`. */
export function canonicalOf({ url = '', version }: { url?: string; version?: string }): string {
  return version ? `${url}|${version}` : url;
}

/** How a person knows a definition. */
export function nameOf({ name, title, url, id }: PlanDefinition | ActivityDefinition): string {
  return name ?? title ?? url ?? id ?? 'without name';
}

function readBody(reading: Reading, actions: readonly PlanDefinitionAction[]): Step[] {
  readQueries(reading);
  readGoals(reading);
  return readActions(actions, reading, '');
}

function readActions(actions: readonly PlanDefinitionAction[], reading: Reading, within: string): Step[] {
  return actions.map((action, index) => readAction(action, reading, within, index));
}

function readAction(action: PlanDefinitionAction, reading: Reading, within: string, index: number): Step {
  const local = action.id ?? `${within}${within && '.'}${index + 1}`;
  const id = `${reading.prefix}${local}`;
  const place: Place = { pathway: reading.name, action: id, element: 'PlanDefinition.action' };
  if ((reading.ids.get(local) ?? 0) > 1) {
    throw refusal(at(place, 'PlanDefinition.action.id'), 'there are two actions with this id.');
  }
  if (action.transform) {
    throw refusal(at(place, 'PlanDefinition.action.transform'), 'a transform (StructureMap) is not supported.');
  }
  const definition = action.definitionCanonical;
  if (definition !== undefined && action.action?.length) {
    throw refusal(
      at(place, 'PlanDefinition.action.definition'),
      'it has a definition and actions; it can have one of them.',
    );
  }
  const nested = definition === undefined ? undefined : reading.lookup.find('PlanDefinition', definition);
  const steps = nested
    ? readNested(nested, reading, local, place)
    : action.action?.length
      ? readActions(action.action, reading, local)
      : [];
  const timing = readActionTiming(action, place);
  return {
    id,
    place,
    action,
    conditions: (action.condition ?? []).map(({ kind, expression }) => {
      const here = at(place, 'PlanDefinition.action.condition');
      if (!kind) throw refusal(here, 'a condition needs a kind.');
      return { kind, expression: compileExpression(expression, reading.libraries, here) };
    }),
    relations: (action.relatedAction ?? []).map((related) => readRelation(related, reading, local, place)),
    ...(timing ? { timing } : {}),
    ...(steps.length === 0 && !nested ? { activity: readActivity(action, reading, place) } : {}),
    goals: (action.goalId ?? []).map((goal) => `${reading.prefix}${goal}`),
    steps,
  };
}

function readNested(nested: PlanDefinition, reading: Reading, local: string, place: Place): Step[] {
  const canonical = canonicalOf(nested);
  const path = [...reading.path, canonical];
  if (reading.path.includes(canonical)) {
    throw refusal(at(place, 'PlanDefinition.action.definition'), `it contains itself: ${path.join(' → ')}.`);
  }
  if (!nested.action?.length) {
    throw refusal(at(place, 'PlanDefinition.action.definition'), `${canonical} has no actions.`);
  }
  const inner: Reading = {
    ...reading,
    definition: nested,
    ids: countIds(nested.action),
    libraries: nested.library ?? [],
    prefix: `${reading.prefix}${local}.`,
    path,
  };
  return readBody(inner, nested.action);
}

function readActivity(action: PlanDefinitionAction, reading: Reading, place: Place): Activity {
  const { lookup, libraries } = reading;
  const canonical = action.definitionCanonical;
  const definition = canonical === undefined ? undefined : lookup.find('ActivityDefinition', canonical);
  const isForm = canonical !== undefined && /\/Questionnaire\//.test(canonical);
  if (canonical !== undefined && !definition && !isForm) {
    throw refusal(at(place, 'PlanDefinition.action.definition'), `there is no definition ${canonical}.`);
  }
  const activity = definition ?? stand(action, place);
  const why = whyNotMade(activity);
  if (why) throw refusal(at(place, 'PlanDefinition.action.definition'), `${nameOf(activity)}: ${why}`);
  const own = (definition?.dynamicValue ?? []).map((value) =>
    readDynamicValue(value, activity.kind ?? '', definition?.library ?? libraries, at(place, 'ActivityDefinition')),
  );
  const more = (action.dynamicValue ?? []).map((value) =>
    readDynamicValue(value, activity.kind ?? '', libraries, place),
  );
  return {
    definition: activity,
    ...(definition ? { canonical: canonicalOf(definition) } : {}),
    ...(isForm && canonical ? { questionnaire: canonical } : {}),
    ...(action.definitionUri ? { uri: action.definitionUri } : {}),
    dynamicValues: [...own, ...more],
  };
}

/** An action without a definition is something for a person to do, so it has to say what. */
function stand({ title, description, textEquivalent }: PlanDefinitionAction, place: Place): ActivityDefinition {
  const words = title ?? textEquivalent ?? description;
  if (!words) throw refusal(place, 'it needs a definition, actions, or a title that says what to do.');
  return { resourceType: 'ActivityDefinition', status: 'active', kind: 'Task', title: words };
}

function readRelation(
  related: NonNullable<PlanDefinitionAction['relatedAction']>[number],
  reading: Reading,
  local: string,
  place: Place,
): Relation {
  const here = at(place, 'PlanDefinition.action.relatedAction');
  const { actionId = '', relationship, offsetDuration, offsetRange, extension } = related;
  if (actionId === local) throw refusal(here, 'it is related to itself.');
  if (!reading.ids.has(actionId)) {
    throw refusal(
      here,
      `it is related to ${actionId || 'an action without id'}, which is no action of this definition.`,
    );
  }
  if (!relationship) throw refusal(here, 'a related action needs a relationship.');
  const count = dayCountOf(extension);
  const low = offsetDuration ?? offsetRange?.low;
  const high = offsetRange?.high;
  return {
    to: `${reading.prefix}${actionId}`,
    relationship: relationship as Relationship,
    ...(low ? { low: readAmount(low, count, here) } : {}),
    ...(high ? { high: readAmount(high, count, here) } : {}),
  };
}

function readGoals({ definition, prefix, name, goals }: Reading): void {
  const place: Place = { pathway: name, element: 'PlanDefinition.goal' };
  for (const [index, goal] of (definition.goal ?? []).entries()) {
    const id = `${prefix}${goal.id ?? index + 1}`;
    if (goals.some((other) => other.id === id)) throw refusal(place, `there are two goals with the id ${id}.`);
    for (const { due } of goal.target ?? []) {
      if (due) readAmount(due, dayCountOf(due.extension), at(place, 'PlanDefinition.goal.target.due'));
    }
    goals.push({ id, goal, place });
  }
}

/** Extension pathway-variable. */
function readQueries({ definition, name, queries }: Reading): void {
  const place: Place = { pathway: name, element: 'PlanDefinition.extension' };
  for (const { url, valueExpression } of definition.extension ?? []) {
    if (url !== EXTENSION.pathwayVariable) continue;
    const { name: variable, language, expression } = valueExpression ?? {};
    if (!variable || !/^[A-Za-z]\w*$/.test(variable))
      throw refusal(place, 'a variable needs a name of letters and digits.');
    if (isVariable(variable)) throw refusal(place, `the name %${variable} is taken.`);
    if (language !== 'application/x-fhir-query' || !expression) {
      throw refusal(place, `the variable %${variable} must be an application/x-fhir-query.`);
    }
    const other = queries.find((query) => query.name === variable);
    if (other && other.query !== expression) throw refusal(place, `the variable %${variable} means two things.`);
    if (!other) queries.push({ name: variable, query: expression, place });
  }
}

function countIds(
  actions: PlanDefinition['action'] = [],
  counts: Map<string, number> = new Map(),
): ReadonlyMap<string, number> {
  for (const { id, action } of actions) {
    if (id) counts.set(id, (counts.get(id) ?? 0) + 1);
    countIds(action, counts);
  }
  return counts;
}

function expressionsOf(steps: readonly Step[]): (readonly [CompiledExpression, Place])[] {
  return stepsOf(steps).flatMap(({ conditions, activity, place }) => [
    ...conditions.map(({ expression }) => [expression, at(place, 'PlanDefinition.action.condition')] as const),
    ...(activity?.dynamicValues ?? []).map(
      ({ expression }) => [expression, at(place, 'PlanDefinition.action.dynamicValue')] as const,
    ),
  ]);
}

function checkGoals(steps: readonly Step[], goals: readonly PathwayGoal[]): void {
  const known = new Set(goals.map(({ id }) => id));
  for (const { goals: wanted, place } of stepsOf(steps)) {
    const missing = wanted.find((id) => !known.has(id));
    if (missing !== undefined) throw refusal(at(place, 'PlanDefinition.action.goalId'), `there is no goal ${missing}.`);
  }
}

/** A dry run finds relations that wait for each other and impossible offsets, as far as no fixed dates are involved. */
function checkSchedule(given: readonly Step[]): void {
  const isFixed = stepsOf(given).some(({ action }) => {
    return action.timingDateTime ?? action.timingPeriod ?? action.timingAge ?? action.timingTiming;
  });
  const steps = isFixed ? withoutTiming(given) : given;
  const calendar = { name: 'every day', isBusinessDay: () => true, holidayOn: () => undefined };
  const start = Temporal.Instant.from('2000-01-03T12:00:00Z');
  scheduleSteps(steps, { start, zone: 'UTC', calendar });
}

function withoutTiming(steps: readonly Step[]): Step[] {
  return steps.map(({ timing: _, ...step }) => ({ ...step, steps: withoutTiming(step.steps) }));
}

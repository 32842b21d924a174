// A pathway applied to one patient: Goals and what is to be done, ready to be put into a plan. Pure: the same pathway,
// facts and options give the same. https://hl7.org/fhir/R4/plandefinition-operation-apply.html
import type { Condition, Goal, Reference, Resource } from '@medplum/fhirtypes';
import { derivedUrn } from '../derived-id.ts';
import { localDate } from '../local-time.ts';
import type { Link } from '../reference-to.ts';
import { IDENTIFIER } from '../systems.ts';
import { makeActivity } from './activity.ts';
import { type DecidedStep, decideSteps } from './decide-steps.ts';
import type { Facts } from './expression.ts';
import { setPathwayGoal } from './goals.ts';
import { isInEffect, periodInWords } from './in-effect.ts';
import type { Pathway, Step } from './pathway.ts';
import { refusal } from './refusal.ts';
import { scheduleSteps } from './schedule.ts';
import type { Choice } from './select.ts';
import { findPerformers, type Team } from './team.ts';
import type { PlanClock, Span } from './timing.ts';

export interface ApplyOptions {
  /** Names the application: fullUrls and identifiers follow from it. Id of the case, or of the patient. */
  readonly key: string;
  /** `offer` proposes all that applies and leaves the choice open; `choose` plans what is taken. */
  readonly mode: 'offer' | 'choose';
  readonly choice: Choice;
  readonly clock: PlanClock;
  readonly now: Temporal.Instant;
  readonly team: Team;
  readonly subject: Link;
  readonly encounter?: Link;
  readonly requester?: Reference;
  /** The plan that everything is based on. */
  readonly plan?: Link;
}

/** Something new with the fullUrl that the rest refers to it by. */
export interface Made<R extends Resource = Resource> {
  readonly fullUrl: string;
  readonly resource: R;
}

/** A step as it was applied. */
export interface AppliedStep {
  readonly step: Step;
  readonly title: string;
  readonly span: Span;
  readonly isReady: boolean;
  /** Absent for a group. */
  readonly made?: Made;
  readonly steps: readonly AppliedStep[];
}

export interface Applied {
  readonly pathway: Pathway;
  readonly goals: readonly Made<Goal>[];
  readonly steps: readonly AppliedStep[];
}

/** @throws Fault unprocessable naming pathway and action */
export function applyPathway(pathway: Pathway, facts: Facts, options: ApplyOptions): Applied {
  const { key, mode, clock, choice } = options;
  const moment = { now: options.now, zone: clock.zone };
  if (!isInEffect(pathway.definition, moment)) {
    const where = { pathway: pathway.name, element: 'PlanDefinition.effectivePeriod' };
    throw refusal(where, `it is in effect ${periodInWords(pathway.definition)} only.`);
  }
  const spans = scheduleSteps(pathway.steps, clock);
  const place = { pathway: pathway.name, element: 'PlanDefinition.action' };
  const decided = decideSteps(pathway.steps, undefined, place, { facts, mode, choice, moment });
  const conditions = (facts.variables.conditions ?? []) as Condition[];
  const goals = pathway.goals.map((goal): Made<Goal> => {
    const resource = setPathwayGoal(goal, {
      ...{ subject: options.subject, conditions, clock },
      lifecycleStatus: mode === 'offer' ? 'proposed' : 'active',
      ...(mode === 'choose' ? { identifier: identify(key, pathway, `goal:${goal.id}`) } : {}),
    });
    return { fullUrl: derivedUrn(key, pathway.canonical, 'goal', goal.id), resource };
  });
  const urls = new Map(pathway.goals.map(({ id }, index) => [id, (goals[index] as Made).fullUrl]));
  const perform = (steps: readonly DecidedStep[], inherited: Step['goals']): AppliedStep[] =>
    steps.map((one) => {
      const { step, isReady } = one;
      const own = step.goals.length > 0 ? step.goals : inherited;
      const span = spans.get(step.id) as Span;
      const title = titleOf(step);
      const links = own.flatMap((id) => urls.get(id) ?? []).map((reference) => ({ reference }));
      const made = step.activity ? makeStep(pathway, one, { span, title, goals: links }, facts, options) : undefined;
      return { step, title, span, isReady, ...(made ? { made } : {}), steps: perform(one.steps, own) };
    });
  return { pathway, goals, steps: perform(decided, []) };
}

/** What was made, in the order of the pathway. */
export function madeIn(steps: readonly AppliedStep[]): (AppliedStep & { readonly made: Made })[] {
  return steps.flatMap((one) => [
    ...(one.made ? [one as AppliedStep & { readonly made: Made }] : []),
    ...madeIn(one.steps),
  ]);
}

/** One step in words: `Call the patient: by 2026-12-01`. */
export function lineOf({ title, span }: Pick<AppliedStep, 'title' | 'span'>, zone: string): string {
  return span.end ? `${title}: by ${localDate(span.end, zone)}` : title;
}

/** How a person names a step. */
export function titleOf({ action, activity, id }: Step): string {
  return action.title ?? activity?.definition.title ?? action.textEquivalent ?? id;
}

function makeStep(
  pathway: Pathway,
  { step, occurrence, isReady }: DecidedStep,
  { span, title, goals }: { span: Span; title: string; goals: readonly Link[] },
  facts: Facts,
  options: ApplyOptions,
): Made {
  const { key, mode, team, subject, encounter, requester, plan, now, clock } = options;
  const activity = step.activity as NonNullable<Step['activity']>;
  const participants = step.action.participant ?? activity.definition.participant ?? [];
  const intent = activity.definition.intent;
  const resource = makeActivity({
    ...{ activity, action: step.action, title, subject, goals, isReady, now, zone: clock.zone },
    ...(isTimed(pathway, step) ? { span } : {}),
    performers: findPerformers(participants, team),
    ...(encounter ? { encounter } : {}),
    ...(requester ? { requester } : {}),
    ...(plan ? { basedOn: plan } : {}),
    intent: mode === 'offer' ? 'proposal' : intent === 'plan' || intent === 'proposal' ? 'plan' : 'order',
    ...(mode === 'choose' ? { identifier: identify(key, pathway, step.id, occurrence) } : {}),
  });
  const more = { action: step.action, definition: activity.definition, start: span.start, due: span.end };
  for (const value of activity.dynamicValues) value.apply(resource, facts, textual(more));
  return { fullUrl: derivedUrn(key, pathway.canonical, 'step', step.id, occurrence), resource };
}

/** Of a step that says nothing about time nobody knows when it is to be done. */
function isTimed({ steps }: Pathway, step: Step): boolean {
  const isSaid = (one: Step) => one.timing !== undefined || one.relations.length > 0;
  const within = (among: readonly Step[]): boolean | undefined => {
    for (const one of among) {
      if (one === step) return isSaid(one);
      const found = within(one.steps);
      if (found !== undefined) return found || isSaid(one);
    }
    return undefined;
  };
  return within(steps) ?? false;
}

/** Moments as FHIRPath knows them. */
function textual(values: Record<string, unknown>): Record<string, unknown> {
  const dates = Object.entries(values).map(([name, value]) => [
    name,
    value instanceof Temporal.Instant ? { type: 'dateTime', value: value.toString({ smallestUnit: 'second' }) } : value,
  ]);
  return Object.fromEntries(dates);
}

/** `CASE|PATHWAY|STEP|OCCURRENCE`; the pathway by its id, or by what stands last in its url. */
export function stepKey(key: string, pathway: Pathway, step: string, occurrence = '1'): string {
  return [key, pathwayId(pathway), step, occurrence].join('|');
}

/** The last part of the pathway's url. */
export function pathwayId({ definition }: Pathway): string {
  return definition.url?.split('/').at(-1) ?? definition.id ?? '';
}

function identify(key: string, pathway: Pathway, step: string, occurrence?: string) {
  return { system: IDENTIFIER.pathwayStep, value: stepKey(key, pathway, step, occurrence) };
}

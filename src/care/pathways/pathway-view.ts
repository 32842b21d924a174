// Pathways in words: whom they are for, what they aim at, their steps and what they rest on.
import type { PlanDefinition } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import { titleOf } from '../apply/apply-pathway.ts';
import { runCql } from '../apply/cql.ts';
import { isFor } from '../apply/decide-steps.ts';
import { NO_CQL, readFacts } from '../apply/facts.ts';
import { isInEffect } from '../apply/in-effect.ts';
import type { Pathway, Step } from '../apply/pathway.ts';
import { planOfCase, readCase } from '../cases/find-cases.ts';
import type { Caller, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import type { CasePathways, PathwayList, PathwayView } from './pathway-schema.ts';
import type { Pathways } from './pathways.ts';

export async function listPathways({ library }: Pathways, records: Records): Promise<PathwayList> {
  return { items: (await library.list(records)).map(headOf) };
}

/** Undefined when there is no such pathway. @throws Fault unprocessable when it cannot be carried out as it is written */
export async function viewPathway(
  { library }: Pathways,
  records: Records,
  id: string,
): Promise<PathwayView | undefined> {
  const definition = await library.find(id, records);
  if (!definition) return undefined;
  const { pathway } = await library.read(definition, records);
  const { purpose, usage, relatedArtifact = [] } = definition;
  return {
    ...headOf(definition),
    ...(purpose ? { purpose } : {}),
    ...(usage ? { forWhom: usage } : {}),
    goals: pathway.goals.map(({ id: goalId, goal }) => ({
      id: goalId,
      text: goal.description?.text ?? goal.description?.coding?.[0]?.display ?? '',
      ...dueOf(goal.target?.[0]?.due),
    })),
    steps: stepViews(pathway.steps, undefined),
    sources: relatedArtifact.map(({ display, citation, url }) => ({
      ...(display ? { title: display } : {}),
      ...(citation ? { citation } : {}),
      ...(url ? { url } : {}),
    })),
  };
}

/**
 * The pathways that a case's plan follows, or those whose conditions hold for its patient.
 * @returns undefined when there is no such case
 */
export async function pathwaysOfCase(
  { library }: Pathways,
  records: Records,
  caller: Caller,
  { id, applicable = false }: { readonly id: string; readonly applicable?: boolean | undefined },
): Promise<CasePathways | undefined> {
  const episode = await readCase(records, id);
  const patient = episode && (await records.read('Patient', idOf(episode.patient, 'Patient') ?? ''));
  if (!episode || !patient) return undefined;
  const plan = await planOfCase(records, id);
  const followed = new Set(plan?.instantiatesCanonical?.map((one) => one.split('|')[0]));
  const items: CasePathways['items'] = [];
  for (const definition of await library.list(records)) {
    const isFollowed = followed.has(definition.url);
    const head = { ...headOf(definition), followed: isFollowed };
    if (!applicable) {
      if (isFollowed) items.push(head);
      continue;
    }
    try {
      const { pathway, lookup } = await library.read(definition, records);
      const { now, zone } = caller;
      const cql =
        pathway.libraries.size > 0
          ? await runCql({ libraries: pathway.libraries, lookup, patient, records, now, pathway: pathway.name })
          : NO_CQL;
      const facts = await readFacts(pathway, { patient, given: {}, now, zone }, records, cql);
      if (withinTime(() => isFor(pathway.steps, facts, { now, zone }) && isInEffect(definition, { now, zone })))
        items.push(head);
    } catch (error) {
      if (!(error instanceof Fault) || error.kind === 'fault') throw error;
      items.push({ ...head, problem: error.message });
    }
  }
  return { items };
}

function headOf({
  id = '',
  url = '',
  version,
  title,
  name,
  description,
}: PlanDefinition): PathwayList['items'][number] {
  return {
    id,
    url,
    ...(version ? { version } : {}),
    title: title ?? name ?? url,
    ...(description ? { description } : {}),
  };
}

function stepViews(steps: Pathway['steps'], within: string | undefined): PathwayView['steps'] {
  return steps.flatMap((step) => [stepView(step, within), ...stepViews(step.steps, step.id)]);
}

function stepView(step: Step, within: string | undefined): PathwayView['steps'][number] {
  const { action, activity, conditions } = step;
  const { selectionBehavior, requiredBehavior, precheckBehavior } = action;
  const description = action.description ?? activity?.definition.description;
  return {
    id: step.id,
    ...(within ? { within } : {}),
    title: titleOf(step),
    ...(description ? { description } : {}),
    ...(activity?.definition.kind ? { makes: activity.definition.kind } : {}),
    ...(selectionBehavior ? { choose: selectionBehavior } : {}),
    ...(requiredBehavior ? { required: requiredBehavior } : {}),
    ...(precheckBehavior ? { ticked: precheckBehavior === 'yes' } : {}),
    conditions: (action.condition ?? [])
      .slice(0, conditions.length)
      .flatMap(({ expression }) => expression?.description ?? expression?.expression ?? []),
    goals: [...step.goals],
  };
}

function dueOf(due: { value?: number; unit?: string; code?: string } | undefined): { dueAfter?: string } {
  return due?.value === undefined ? {} : { dueAfter: `${due.value} ${due.unit ?? due.code ?? ''}`.trim() };
}

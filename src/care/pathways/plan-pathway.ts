// A pathway put into the plan of a case: its Goals, Tasks and requests, in one commit with the plan that refers to them.
import type { CarePlan, EpisodeOfCare, Patient, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import type { Locale } from '../apply/amount.ts';
import { type Applied, type ApplyOptions, applyPathway, lineOf, madeIn } from '../apply/apply-pathway.ts';
import { runCql } from '../apply/cql.ts';
import { NO_CQL, readFacts } from '../apply/facts.ts';
import type { Choice } from '../apply/select.ts';
import type { Team } from '../apply/team.ts';
import { refuseGone, refuseOver } from '../case-at-hand.ts';
import { planOfCase } from '../cases/find-cases.ts';
import { narrative } from '../narrative.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import { teamOfCase } from './case-team.ts';
import { claimsOfMade } from './pathway-claims.ts';
import type { ReadPathway } from './pathway-library.ts';
import { recordOmissions } from './variance.ts';

type Create = Extract<Change, { op: 'create' }>;

export interface PathwayRequest {
  readonly read: ReadPathway;
  readonly episode: EpisodeOfCare;
  readonly patient: Patient;
  /** The case's plan, or the fullUrl it has in the commit that makes it. */
  readonly plan: Link;
  /** Who there is; read from the case when absent. */
  readonly team?: Team;
  readonly choice?: Choice;
  /** Values of the pathway's own parameters, by name. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** What applying adds to a case: to be committed together with the plan from {@link addToPlan}. */
export interface PathwayAdditions {
  readonly applied: Applied;
  readonly changes: readonly Create[];
}

/**
 * Applies a pathway to a case; the same request at the same time gives the same changes.
 * @param locale the case's time zone and business days
 * @throws Fault unprocessable naming pathway and action, or when nothing of the pathway applies or the patient has died
 */
export async function planPathway(
  records: Records,
  caller: Caller,
  request: PathwayRequest,
  locale: Locale,
): Promise<PathwayAdditions> {
  const { read, episode, patient, plan, choice = {}, parameters = {} } = request;
  const { pathway, lookup } = read;
  refuseGone(patient);
  refuseOver(episode);
  refuseUnknownSteps(request);
  const now = caller.now.round({ smallestUnit: 'second', roundingMode: 'floor' });
  const about = { patient, given: parameters, now, zone: locale.zone };
  const cql =
    pathway.libraries.size > 0
      ? await runCql({ libraries: pathway.libraries, lookup, patient, records, now, pathway: pathway.name })
      : NO_CQL;
  const facts = await readFacts(pathway, about, records, cql);
  const options: ApplyOptions = {
    ...{ key: episode.id ?? '', mode: 'choose', choice, now, plan },
    clock: { start: now, ...locale, birthDate: patient.birthDate },
    team: request.team ?? (await teamOfCase(episode, records, caller)),
    subject: referenceTo(patient),
    requester: caller.who,
  };
  const applied = withinTime(() => applyPathway(pathway, facts, options));
  if (applied.steps.length === 0) {
    throw new Fault('unprocessable', `Pathway ${pathway.name} is not for this patient: none of its actions applies.`);
  }
  const made = [...applied.goals, ...madeIn(applied.steps).map((step) => step.made)];
  const omissions = recordOmissions(pathway, choice, { plan, patient, caller });
  return { applied, changes: [...made.map(create), ...omissions] };
}

/** The plan with everything that applying added, and the words a person reads. */
export function addToPlan<P extends CarePlan>(plan: P, { pathway, goals, steps }: Applied, zone: string): P {
  const lines = madeIn(steps).map((step) => lineOf(step, zone));
  return {
    ...plan,
    text: addLines(plan, `${pathway.definition.title ?? pathway.name}`, lines),
    instantiatesCanonical: [...(plan.instantiatesCanonical ?? []), pathway.canonical],
    ...(goals.length > 0
      ? { goal: [...(plan.goal ?? []), ...goals.map(({ fullUrl }) => ({ reference: fullUrl }))] }
      : {}),
    activity: [
      ...(plan.activity ?? []),
      ...madeIn(steps).map(({ made }) => ({ reference: { reference: made.fullUrl } })),
    ],
  };
}

/**
 * The command: a pathway into the active plan of a case that is there.
 * @throws Fault conflict when the plan follows it already; unprocessable; not-found when the case has no active plan
 */
export async function followPathway(
  records: Records,
  caller: Caller,
  request: Omit<PathwayRequest, 'plan' | 'patient'>,
  locale: Locale,
): Promise<Planned> {
  const { episode, read } = request;
  const plan = await planOfCase(records, episode.id ?? '');
  const patient = await records.read('Patient', idOf(episode.patient, 'Patient') ?? '');
  if (!plan || !patient || plan.status !== 'active')
    throw new Fault('not-found', 'This case has no active plan that a pathway could be put into.');
  const url = read.pathway.definition.url ?? '';
  if (plan.instantiatesCanonical?.some((one) => one.split('|')[0] === url)) {
    throw new Fault('conflict', `The plan follows ${read.pathway.name} already.`, {
      expression: 'CarePlan.instantiatesCanonical',
    });
  }
  const additions = await planPathway(records, caller, { ...request, patient, plan: referenceTo(plan) }, locale);
  const update: Change = {
    op: 'update',
    resource: addToPlan(plan, additions.applied, locale.zone),
    ifMatch: plan.meta.versionId,
  };
  return { changes: [update, ...additions.changes], about: 0 };
}

/** That nothing is planned twice the plan sees to: it is new, or changed only in the version that was read. */
function create({ fullUrl, resource }: { fullUrl: string; resource: Resource }): Create {
  const claims = new Set([...claimsOfMade(resource), ...(resource.meta?.profile ?? [])]);
  if (claims.size === 0) return { op: 'create', resource, fullUrl };
  return { op: 'create', resource: { ...resource, meta: { ...resource.meta, profile: [...claims] } }, fullUrl };
}

function addLines({ text, title }: CarePlan, headline: string, lines: readonly string[]): CarePlan['text'] {
  const more = narrative(headline, lines);
  if (!text?.div || text.status !== 'generated') return text ?? narrative(title ?? headline, lines);
  const inner = /^<div[^>]*>(.*)<\/div>$/s.exec(more.div ?? '')?.[1] ?? '';
  return { ...text, div: text.div.replace(/<\/div>\s*$/, () => `${inner}</div>`) };
}

function refuseUnknownSteps({ read, choice = {} }: PathwayRequest): void {
  const known = new Set(allIds(read.pathway.steps));
  const unknown = [...(choice.take?.keys() ?? []), ...(choice.omit?.keys() ?? [])].find((id) => !known.has(id));
  if (unknown === undefined) return;
  throw new Fault('unprocessable', `Pathway ${read.pathway.name} has no action ${unknown}.`);
}

function allIds(steps: ReadPathway['pathway']['steps']): string[] {
  return steps.flatMap(({ id, steps: inner }) => [id, ...allIds(inner)]);
}

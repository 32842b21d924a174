// What is extracted from an assessment, brought together with what the record already has: a need that is known is not
// recorded twice, an observation of an earlier version is corrected in place, and the plan of the case addresses what is new.
import type { Condition, Flag, Goal, Observation, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { parseExact, stringifyExact } from '../../fhir/exact-json.ts';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import { derivedId } from '../derived-id.ts';
import { findReadable } from '../find-readable.ts';
import { addToPlan, isCurrent } from '../plans/plan-of-case.ts';
import type { Kept, Records } from '../records.ts';
import type { ExtractedResource, Extraction } from '../sdc/extract.ts';
import { IDENTIFIER, PROFILE } from '../systems.ts';
import type { CaseOfPatient } from './assessment-of-case.ts';

export interface Results {
  readonly changes: readonly Change[];
  /** What was made or changed, for the provenance. */
  readonly touched: readonly ExtractedResource[];
}

/** One extracted resource, settled: what becomes of it, and what others refer to it by. */
interface Settled {
  readonly reference: string;
  readonly change?: Change;
}

export async function planResults(
  records: Records,
  about: CaseOfPatient,
  { resources }: Extraction,
  response: QuestionnaireResponse,
): Promise<Results> {
  const known = await knownOf(records, about, resources, response);
  const settled = resources.map((one) => ({ one, ...settle(one, known, response) }));
  const references = new Map(settled.map(({ one, reference }) => [one.fullUrl, reference]));
  const withdrawn = known.observations.flatMap((old) =>
    withdraw(
      old,
      settled.map(({ reference }) => reference),
    ),
  );
  const changes = [...settled.flatMap(({ change }) => change ?? []), ...withdrawn];
  const named = settled.filter(({ change }) => change).map(({ one, reference }) => ({ ...one, fullUrl: reference }));
  return {
    changes: [...changes.map((change) => referring(change, references)), ...extendedPlan(about.plan, named)],
    touched: named,
  };
}

interface Known {
  readonly observations: readonly Kept<'Observation'>[];
  readonly needs: readonly Kept<'Condition'>[];
  readonly goals: readonly Kept<'Goal'>[];
  readonly flags: readonly Kept<'Flag'>[];
}

async function knownOf(
  records: Records,
  { patient }: CaseOfPatient,
  resources: readonly ExtractedResource[],
  response: QuestionnaireResponse,
): Promise<Known> {
  const subject = `Patient/${patient.id}`;
  const has = (type: Resource['resourceType']) => resources.some(({ resource }) => resource.resourceType === type);
  const isCorrection = response.status === 'amended';
  const [observations, needs, goals, flags] = await Promise.all([
    isCorrection
      ? findReadable(records, 'Observation', { 'derived-from': `QuestionnaireResponse/${response.id}` })
      : [],
    has('Condition')
      ? findReadable(records, 'Condition', { subject, 'clinical-status': 'active,recurrence,relapse' })
      : [],
    has('Goal')
      ? findReadable(records, 'Goal', { subject, 'lifecycle-status': 'proposed,planned,accepted,active,on-hold' })
      : [],
    has('Flag') ? findReadable(records, 'Flag', { subject }) : [],
  ]);
  return { observations, needs, goals, flags: flags.filter(({ status }) => status === 'active') };
}

function settle(one: ExtractedResource, known: Known, response: QuestionnaireResponse): Settled {
  const { resource } = one;
  switch (resource.resourceType) {
    case 'Observation':
      return settleObservation(one, resource, known, response);
    case 'Condition':
      return settleNeed(one, resource, known, response);
    case 'Goal': {
      const same = known.goals.find((goal) => goal.description?.text === resource.description?.text);
      return same ? { reference: `Goal/${same.id}` } : make(one, response);
    }
    case 'Flag': {
      const same = known.flags.find((flag) => sameConcept(flag.code, resource.code));
      return same ? { reference: `Flag/${same.id}` } : make(one, response);
    }
    default:
      return make(one, response);
  }
}

function make(
  { resource, fullUrl, key, ifMatch, ifNoneExist }: ExtractedResource,
  { id, meta }: QuestionnaireResponse,
): Settled {
  if (resource.id !== undefined) {
    const reference = `${resource.resourceType}/${resource.id}`;
    return { reference, change: { op: 'update', resource, ...(ifMatch ? { ifMatch } : {}) } };
  }
  const made = derivedId('result', id ?? fullUrl, key, meta?.versionId ?? '');
  return {
    reference: `${resource.resourceType}/${made}`,
    change: { op: 'create', id: made, resource, ...(ifNoneExist ? { ifNoneExist } : {}) },
  };
}

function settleObservation(
  one: ExtractedResource,
  made: Observation,
  known: Known,
  response: QuestionnaireResponse,
): Settled {
  const identifier = { system: IDENTIFIER.assessmentResult, value: `${response.id}|${one.key}` };
  const resource: Observation = { ...made, meta: { profile: profilesOf(made) }, identifier: [identifier] };
  const old = known.observations.find((each) => each.identifier?.some(({ value }) => value === identifier.value));
  if (!old) return make({ ...one, resource }, response);
  const reference = `Observation/${old.id}`;
  if (saysSame(old, resource)) return { reference };
  return { reference, change: { op: 'update', resource: corrected(old, resource), ifMatch: old.meta.versionId } };
}

/** The value is what is corrected; what others have added to the observation stays. */
function corrected(old: Kept<'Observation'>, made: Observation): Observation {
  const kept = Object.fromEntries(
    Object.entries(old).filter(([key]) => !/^value[A-Z]/.test(key)),
  ) as unknown as Observation;
  const value = Object.fromEntries(Object.entries(made).filter(([key]) => /^value[A-Z]/.test(key)));
  return { ...kept, ...value, status: 'amended', ...(made.hasMember ? { hasMember: made.hasMember } : {}) };
}

function saysSame(old: Observation, made: Observation): boolean {
  const said = (one: Observation) => JSON.stringify(Object.entries(one).filter(([key]) => /^value[A-Z]/.test(key)));
  return old.status !== 'entered-in-error' && said(old) === said(made);
}

/** An answer that was taken back never was an observation. */
function withdraw(old: Kept<'Observation'>, current: readonly string[]): Change[] {
  if (current.includes(`Observation/${old.id}`) || old.status === 'entered-in-error') return [];
  return [{ op: 'update', resource: { ...old, status: 'entered-in-error' }, ifMatch: old.meta.versionId }];
}

function profilesOf({ category }: Observation): string[] {
  const codes = new Set(category?.flatMap(({ coding }) => coding?.map(({ code }) => code)));
  if (codes.has('treatment-intervention-preference'))
    return [profileUrl('usCore', 'us-core-treatment-intervention-preference')];
  if (codes.has('care-experience-preference')) return [profileUrl('usCore', 'us-core-care-experience-preference')];
  return codes.has('survey') ? [PROFILE.usCoreScreening] : [];
}

/** A need that is known gets the new evidence. */
function settleNeed(
  one: ExtractedResource,
  made: Condition,
  { needs }: Known,
  response: QuestionnaireResponse,
): Settled {
  const same = needs.find((need) => sameConcept(need.code, made.code) && !isRefuted(need));
  if (!same) return make(one, response);
  const reference = `Condition/${same.id}`;
  const there = JSON.stringify(same.evidence ?? []);
  const added = (made.evidence ?? []).filter(
    ({ detail }) => !detail?.every((each) => there.includes(`"${each.reference}"`)),
  );
  if (added.length === 0) return { reference };
  const resource: Condition = { ...same, evidence: [...(same.evidence ?? []), ...added] };
  return { reference, change: { op: 'update', resource, ifMatch: same.meta.versionId } };
}

const isRefuted = ({ verificationStatus }: Condition) =>
  verificationStatus?.coding?.some(({ code }) => code === 'refuted' || code === 'entered-in-error') ?? false;

function sameConcept(left: Flag['code'] | undefined, right: Flag['code'] | undefined): boolean {
  const codes = new Set(left?.coding?.map(({ system, code }) => `${system}|${code}`));
  if (right?.coding?.some(({ system, code }) => codes.has(`${system}|${code}`))) return true;
  return !right?.coding?.length && right?.text !== undefined && left?.text === right.text;
}

/** The plan addresses what is new; nothing when there is none, or it is over. */
function extendedPlan(plan: Kept<'CarePlan'> | undefined, made: readonly ExtractedResource[]): Change[] {
  if (!plan || !isCurrent(plan)) return [];
  const those = (type: string) =>
    made.flatMap(({ resource, fullUrl }) => (resource.resourceType === type ? [fullUrl] : []));
  return addToPlan(plan.id, { needs: those('Condition'), goals: those('Goal') });
}

/** With the references among what was extracted settled. */
function referring(change: Change, references: ReadonlyMap<string, string>): Change {
  if (change.op !== 'create' && change.op !== 'update') return change;
  const text = stringifyExact(change.resource).replaceAll(/"urn:uuid:[0-9a-f-]{36}"/g, (urn) => {
    const settled = references.get(urn.slice(1, -1));
    return settled === undefined ? urn : JSON.stringify(settled);
  });
  return { ...change, resource: parseExact<Goal>(text) };
}

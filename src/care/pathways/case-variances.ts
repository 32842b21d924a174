// Variances of a case: what was recorded, recording one, and the report of pathway and reality.
import type { Observation, ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { planOfCase, readCase } from '../cases/find-cases.ts';
import { codedOf } from '../coded.ts';
import { findReadable } from '../find-readable.ts';
import { linkedOf } from '../linked.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM } from '../systems.ts';
import type { RecordVariance, VarianceReport, VarianceView } from './pathway-schema.ts';
import { varianceObservation, varianceOf } from './variance.ts';
import { reportVariance, stepOf, type Work } from './variance-report.ts';

/** Oldest first; undefined when there is no such case. */
export async function listVariances(records: Records, caseId: string): Promise<{ items: VarianceView[] } | undefined> {
  if (!(await readCase(records, caseId))) return undefined;
  const plan = await planOfCase(records, caseId);
  const found = plan ? await recorded(records, plan) : [];
  return { items: found.flatMap((one) => varianceView(one) ?? []) };
}

export async function viewVariance(records: Records, id: string): Promise<VarianceView | undefined> {
  const observation = await records.read('Observation', id);
  return observation && varianceView(observation);
}

/** @throws Fault not-found; unprocessable naming the member that does not fit the case */
export async function recordVariance(
  records: Records,
  caller: Caller,
  caseId: string,
  input: RecordVariance,
): Promise<Planned> {
  const episode = await readCase(records, caseId);
  const plan = episode && (await planOfCase(records, caseId));
  const patient = episode && (await records.read('Patient', idOf(episode.patient, 'Patient') ?? ''));
  if (!plan || !patient) throw new Fault('not-found', 'There is no such case with a plan.');
  const { about, kind, reason, source } = input;
  const reference = about?.reference;
  const isPlanned = plan.activity?.some((activity) => activity.reference?.reference === reference) ?? false;
  if (reference !== undefined && !isPlanned) {
    throw new Fault('unprocessable', "It is no activity of the case's plan.", { expression: 'about.reference' });
  }
  if (reference === undefined && input.step === undefined) {
    throw new Fault('unprocessable', 'Say which activity or which step of a pathway it is about.', {
      expression: 'about',
    });
  }
  const work = reference === undefined ? undefined : await readWork(records, reference);
  const key = work && stepOf(work);
  const pathway =
    input.pathway ?? plan.instantiatesCanonical?.find((one) => one.split('|')[0]?.endsWith(`/${key?.pathway}`));
  const resource = varianceObservation(
    { kind, reason, source, pathway, step: input.step ?? key?.step, about },
    { plan: referenceTo(plan), patient, caller },
  );
  return { about: 0, changes: [{ op: 'create', resource }] };
}

/** Undefined when there is no such case. */
export async function varianceReport(
  records: Records,
  { now, zone }: Caller,
  caseId: string,
): Promise<VarianceReport | undefined> {
  if (!(await readCase(records, caseId))) return undefined;
  const plan = await planOfCase(records, caseId);
  if (!plan) return { items: [] };
  const references = (plan.activity ?? []).flatMap(({ reference }) => reference?.reference ?? []);
  const work = [
    ...(await readAll(records, 'Task', references)),
    ...(await readAll(records, 'ServiceRequest', references)),
  ] as Work[];
  const found = (await recorded(records, plan)).filter((one) => varianceOf(one));
  const variances = found.flatMap((one) => varianceOf(one) ?? []);
  const rows = reportVariance({ plan, work, variances, now, zone });
  return {
    items: rows.map(({ variances: indexes, isUnexplained, reference, ...row }) => ({
      ...row,
      reference: linkedOf(reference) ?? {},
      variances: indexes.flatMap((index) => found[index]?.id ?? []),
      unexplained: isUnexplained,
    })),
  };
}

function recorded(records: Records, plan: Kept<'CarePlan'>): Promise<Kept<'Observation'>[]> {
  return findReadable(records, 'Observation', {
    'based-on': `CarePlan/${plan.id}`,
    code: `${CODE_SYSTEM.variance}|variance`,
  });
}

async function readWork(records: Records, reference: string): Promise<Work | undefined> {
  const [type = '', id = ''] = reference.split('/');
  if (type !== 'Task' && type !== 'ServiceRequest') return undefined;
  return records.read(type, id);
}

async function readAll(records: Records, type: ResourceType, references: readonly string[]) {
  const ids = references.flatMap((reference) => idOf({ reference }, type) ?? []);
  return ids.length === 0 ? [] : findReadable(records, type, { _id: ids.join(',') });
}

function varianceView(observation: Kept<'Observation'> | (Observation & { id: string })): VarianceView | undefined {
  const variance = varianceOf(observation);
  if (!variance) return undefined;
  const { kind, reason, pathway, step, about } = variance;
  const component = observation.component?.find(({ code }) => code.coding?.some((one) => one.code === 'source'));
  const source = codedOf(component?.valueCodeableConcept);
  const [by] = observation.performer ?? [];
  const link = linkedOf(about);
  const performer = linkedOf(by);
  return {
    id: observation.id,
    version: observation.meta?.versionId ?? '',
    kind,
    reason,
    ...(source ? { source } : {}),
    ...(pathway ? { pathway } : {}),
    ...(step ? { step } : {}),
    ...(link ? { about: link } : {}),
    ...(observation.effectiveDateTime ? { recorded: observation.effectiveDateTime } : {}),
    ...(performer ? { by: performer } : {}),
  };
}

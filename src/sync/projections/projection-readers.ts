// Who should read a message: the care team of the plans it belongs to, then the patient's own doctors. What a consent
// keeps from the other side is not followed.

import { follow, type PlanRecord } from '../../fhir/care-plan-document/record.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { RunContext } from '../context.ts';
import { withholdingOf } from '../push/consent.ts';
import { isReader } from './projection-body.ts';
import { plansWith } from './projection-carrier.ts';
import { collect } from './projection-record.ts';

/** References here, best first. */
export async function readersOf(context: RunContext, record: PlanRecord): Promise<string[]> {
  const { focus } = record;
  const found = focus.resourceType === 'CarePlan' ? teamOf(record) : [];
  for (const { id } of await plansWith(context, focus.resourceType, focus.id)) {
    const stored = await context.store.read('CarePlan', id);
    if (!stored || stored.operation === 'delete') continue;
    if ((await withholdingOf(context, { type: 'CarePlan', id })).withheld) continue;
    found.push(...teamOf((await collect(context, stored)).record));
  }
  return [...new Set([...found, ...doctorsOf(record)])].filter(isReader);
}

function teamOf(record: PlanRecord): string[] {
  if (record.focus.resourceType !== 'CarePlan') return [];
  return (record.focus.careTeam ?? []).flatMap((reference) => {
    const team = follow(record, reference);
    if (team?.resourceType !== 'CareTeam') return [];
    return (team.participant ?? []).flatMap(({ member }) => shown(record, member?.reference));
  });
}

function doctorsOf(record: PlanRecord): string[] {
  const { focus } = record;
  const patient = follow(record, focus.resourceType === 'Task' ? focus.for : focus.subject);
  if (patient?.resourceType !== 'Patient') return [];
  return (patient.generalPractitioner ?? []).flatMap(({ reference }) => shown(record, reference));
}

function shown(record: PlanRecord, reference: string | undefined): string[] {
  const target = reference === undefined ? undefined : parseLiteral(reference);
  const key = target && `${target.type}/${target.id}`;
  return key !== undefined && record.resources.has(key) ? [key] : [];
}

// Whatever a plan may refer to, seen as an intervention. Of each type it reads what R4 says it has.
// https://hl7.org/fhir/R4/careplan-definitions.html#CarePlan.activity.reference
import type { Annotation, CodeableConcept, Extension, Period, Reference, Resource } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { linkedOf } from '../linked.ts';
import { toLastInstant } from '../local-time.ts';
import { valueIn } from '../measured-value.ts';
import { notesOf } from '../note.ts';
import type { Caller, Kept } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import type { InterventionView } from './intervention-schema.ts';

/** The elements in which the types of activities say the same things. */
interface Activity {
  readonly id: string;
  readonly resourceType: string;
  readonly meta: { readonly versionId: string; readonly source?: string };
  readonly extension?: Extension[];
  readonly status?: string;
  readonly statusReason?: CodeableConcept;
  readonly businessStatus?: CodeableConcept;
  readonly priority?: string | number;
  readonly code?: CodeableConcept;
  readonly codeCodeableConcept?: CodeableConcept;
  readonly medicationCodeableConcept?: CodeableConcept;
  readonly appointmentType?: CodeableConcept;
  readonly serviceType?: CodeableConcept | CodeableConcept[];
  readonly category?: CodeableConcept[];
  readonly description?: string;
  readonly owner?: Reference;
  readonly performer?: Reference | Reference[];
  readonly recipient?: Reference[];
  readonly requester?: Reference;
  readonly reasonReference?: Reference | Reference[];
  readonly restriction?: { readonly period?: Period };
  readonly occurrencePeriod?: Period;
  readonly occurrenceDateTime?: string;
  readonly start?: string;
  readonly executionPeriod?: Period;
  readonly output?: readonly (object & { readonly type?: CodeableConcept; readonly valueReference?: Reference })[];
  readonly note?: Annotation[];
}

const ENDED = new Set([
  ...['completed', 'cancelled', 'failed', 'rejected', 'revoked', 'stopped', 'ended', 'not-done', 'aborted'],
  ...['fulfilled', 'noshow', 'finished', 'inactive', 'entered-in-error', 'retired'],
]);

/** Nothing more will happen to it. */
export const hasEnded = ({ status }: { readonly status?: string | undefined }): boolean => ENDED.has(status ?? '');

/** Its text where it has one, else its first code: what a person would call it. */
export function viewActivity(
  resource: Kept<Resource['resourceType']>,
  { now, zone }: Pick<Caller, 'now' | 'zone'>,
  plan?: string,
): InterventionView {
  const activity = resource as unknown as Activity;
  const { status, description, priority } = activity;
  const code = codedOf(codeOf(activity));
  const [statusReason, businessStatus] = [codedOf(activity.statusReason), codedOf(activity.businessStatus)];
  const owner = linkedOf(activity.owner ?? first(activity.performer) ?? first(activity.recipient));
  const [requester, need] = [linkedOf(activity.requester), linkedOf(first(activity.reasonReference))];
  const period = activity.restriction?.period ?? activity.occurrencePeriod ?? { start: activity.start };
  const due = period.end ?? activity.occurrenceDateTime;
  const isLate = due !== undefined && Temporal.Instant.compare(toLastInstant(due, zone), now) < 0;
  return {
    id: activity.id,
    version: activity.meta.versionId,
    type: activity.resourceType,
    ...(status ? { status } : {}),
    ...(statusReason ? { statusReason } : {}),
    ...(businessStatus ? { businessStatus } : {}),
    ...(typeof priority === 'string' ? { priority } : {}),
    ...(code ? { code } : {}),
    ...(description ? { description } : {}),
    ...(owner ? { owner } : {}),
    ...(requester ? { requester } : {}),
    goals: goalsOf(activity),
    ...(need ? { need } : {}),
    ...(period.start ? { start: period.start } : {}),
    ...(due ? { due } : {}),
    overdue: isLate && !hasEnded(activity),
    ...(activity.executionPeriod?.start ? { started: activity.executionPeriod.start } : {}),
    ...(activity.executionPeriod?.end ? { ended: activity.executionPeriod.end } : {}),
    outcomes: outcomesOf(activity),
    notes: notesOf(activity.note),
    ...(plan ? { plan: { reference: plan } } : {}),
    ...(activity.meta.source ? { origin: activity.meta.source } : {}),
  };
}

function codeOf(activity: Activity): CodeableConcept | undefined {
  const { code, codeCodeableConcept, medicationCodeableConcept, appointmentType, serviceType, category } = activity;
  return (
    code ?? codeCodeableConcept ?? medicationCodeableConcept ?? appointmentType ?? first(serviceType) ?? category?.[0]
  );
}

function goalsOf({ extension = [] }: Activity): InterventionView['goals'] {
  return extension.flatMap(({ url, valueReference }) =>
    url === EXTENSION.pertainsToGoal ? (linkedOf(valueReference) ?? []) : [],
  );
}

function outcomesOf({ output = [] }: Activity): InterventionView['outcomes'] {
  return output.map((one) => {
    const [type, value, reference] = [codedOf(one.type), valueIn('value', one), linkedOf(one.valueReference)];
    return { ...(type ? { type } : {}), ...(value ? { value } : {}), ...(reference ? { reference } : {}) };
  });
}

const first = <T>(value: T | T[] | undefined): T | undefined => (Array.isArray(value) ? value[0] : value);

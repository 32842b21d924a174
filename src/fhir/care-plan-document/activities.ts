// What is done under a plan, by whom and until when. https://hl7.org/fhir/R4/careplan-definitions.html#CarePlan.activity
import type { CarePlanActivity, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import type { Fact, Item } from './document.ts';
import { facts } from './facts.ts';
import { whoText, whoTexts } from './people.ts';
import { follow, ownWords, type PlanRecord } from './record.ts';
import { clean, codeText, conceptText, conceptTexts, dateText, noteText, periodText } from './words.ts';

/** Undefined when it may not be shown. */
export function activityItem(record: PlanRecord, activity: CarePlanActivity): Item | undefined {
  const progress = (activity.progress ?? []).map((note): Fact => ({ label: 'Progress', text: noteText(note) }));
  const item = activity.detail ? detailItem(record, activity.detail) : referencedItem(record, activity);
  const outcome = facts({ Outcome: conceptTexts(activity.outcomeCodeableConcept) });
  return item && { ...item, facts: [...item.facts, ...outcome, ...progress] };
}

export function taskItem(record: PlanRecord, task: Task): Item {
  return {
    text: clean(task.description) || conceptText(task.code) || 'Task',
    facts: [
      ...facts({
        Status: codeText(task.status),
        Stage: conceptText(task.businessStatus),
        Reason: conceptText(task.statusReason),
        Priority: codeText(task.priority),
        Owner: whoText(record, task.owner),
        'Requested by': whoText(record, task.requester),
        Due: dateText(task.restriction?.period?.end),
        Done: periodText(task.executionPeriod),
      }),
      ...(task.note ?? []).map((note): Fact => ({ label: 'Note', text: noteText(note) })),
    ],
  };
}

function referencedItem(record: PlanRecord, { reference }: CarePlanActivity): Item | undefined {
  const resource = follow(record, reference);
  if (resource) return resourceItem(record, resource);
  const text = ownWords(reference);
  return text === '' ? undefined : { text, facts: [] };
}

function resourceItem(record: PlanRecord, resource: Resource): Item {
  switch (resource.resourceType) {
    case 'Task':
      return taskItem(record, resource);
    case 'ServiceRequest':
      return requestItem(record, resource);
    case 'Appointment':
      return {
        text: clean(resource.description) || conceptTexts(resource.serviceType) || 'Appointment',
        facts: facts({
          Status: codeText(resource.status),
          At: dateText(resource.start),
          With: whoTexts(
            record,
            resource.participant.flatMap(({ actor }) => actor ?? []),
          ),
        }),
      };
    default: {
      const { code, status, medicationCodeableConcept } = resource as Described;
      const text = conceptText(code) || conceptText(medicationCodeableConcept) || resource.resourceType;
      return { text, facts: facts({ Status: codeText(status) }) };
    }
  }
}

/** Elements that most requests have. */
type Described = Pick<ServiceRequest, 'code'> & {
  readonly status?: string;
  readonly medicationCodeableConcept?: ServiceRequest['code'];
};

function requestItem(record: PlanRecord, request: ServiceRequest): Item {
  return {
    text: conceptText(request.code) || 'Service request',
    facts: [
      ...facts({
        Status: codeText(request.status),
        Intent: codeText(request.intent),
        Priority: codeText(request.priority),
        Owner: whoTexts(record, request.performer),
        'Requested by': whoText(record, request.requester),
        When: dateText(request.occurrenceDateTime) || periodText(request.occurrencePeriod),
        Reason: conceptTexts(request.reasonCode),
      }),
      ...(request.note ?? []).map((note): Fact => ({ label: 'Note', text: noteText(note) })),
    ],
  };
}

function detailItem(record: PlanRecord, detail: NonNullable<CarePlanActivity['detail']>): Item {
  const code = conceptText(detail.code);
  const description = clean(detail.description);
  return {
    text: code || description || codeText(detail.kind) || 'Activity',
    facts: facts({
      Description: code === '' ? '' : description,
      Status: codeText(detail.status),
      Reason: conceptTexts(detail.reasonCode),
      Owner: whoTexts(record, detail.performer),
      When: periodText(detail.scheduledPeriod) || clean(detail.scheduledString),
    }),
  };
}

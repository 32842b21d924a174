// What a task says as a request. https://hl7.org/fhir/R4/servicerequest.html
import type { Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';

/** https://hl7.org/fhir/R4/valueset-task-status.html in the words of https://hl7.org/fhir/R4/valueset-request-status.html */
const REQUEST_STATUS: Readonly<Record<NonNullable<Task['status']>, NonNullable<ServiceRequest['status']>>> = {
  draft: 'draft',
  requested: 'active',
  received: 'active',
  accepted: 'active',
  ready: 'active',
  'in-progress': 'active',
  'on-hold': 'on-hold',
  completed: 'completed',
  cancelled: 'revoked',
  rejected: 'revoked',
  failed: 'revoked',
  'entered-in-error': 'entered-in-error',
};

const ASKED = ['status', 'intent', 'code', 'priority', 'occurrencePeriod', 'authoredOn', 'reasonCode'] as const;

type Asked = Pick<ServiceRequest, (typeof ASKED)[number]>;

/** All but who it is about, who asks and who does it. */
export function requestOf(task: Task): Asked {
  const { restriction, executionPeriod, authoredOn, priority, reasonCode, code } = task;
  const occurrencePeriod = restriction?.period ?? executionPeriod;
  return {
    status: REQUEST_STATUS[task.status ?? 'requested'],
    intent: task.intent === undefined || task.intent === 'unknown' ? 'order' : task.intent,
    ...(code ? { code } : {}),
    ...(priority ? { priority } : {}),
    ...(occurrencePeriod ? { occurrencePeriod } : {}),
    ...(authoredOn ? { authoredOn } : {}),
    ...(reasonCode ? { reasonCode: [reasonCode] } : {}),
  };
}

/** Whether a request that was sent asks for what the task asks for now; the text alone does not say all of it. */
export function asksTheSame(sent: JsonObject, task: Resource): boolean {
  if (sent.resourceType !== 'ServiceRequest' || task.resourceType !== 'Task') return true;
  const asked = Object.fromEntries(ASKED.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])));
  return sameJson(asked, requestOf(task) as unknown as JsonObject);
}

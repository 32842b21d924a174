// What leaves the house about a follow-up: ids, times and a link. No name, no diagnosis, nothing that a reader could know the
// patient by; whoever may know more follows the link and signs in.
import type { CommunicationRequest, Task } from '@medplum/fhirtypes';
import { idOf, readResource } from '../care/stored.ts';
import { followUpKey } from '../care/transition/follow-up.ts';
import type { Store } from '../store/store.ts';

export interface Notice {
  /** Id of the notification: the same for every attempt. */
  readonly id: string;
  /** Code of message-reason. */
  readonly reason: string;
  readonly request: string;
  readonly task?: string;
  /** Id of the protocol's step. */
  readonly step?: string;
  /** FHIR dateTime. */
  readonly due?: string;
  readonly priority: string;
  /** Code of the facility. */
  readonly facility: string;
  readonly link?: string;
}

export interface NoticeOf {
  readonly id: string;
  /** Id of the CommunicationRequest. */
  readonly request: string;
  readonly facility: string;
}

/** @returns undefined when nobody needs to be told any more */
export async function readNotice(
  store: Store,
  { id, request, facility }: NoticeOf,
  linkTo: (task: string) => string,
): Promise<Notice | undefined> {
  const asked = await readResource(store, 'CommunicationRequest', request);
  if (asked?.status !== 'active') return undefined;
  const task = await readResource(store, 'Task', idOf(asked.about?.[0], 'Task'));
  return noticeOf({ id, request, facility }, asked, task, linkTo);
}

function noticeOf(
  { id, request, facility }: NoticeOf,
  asked: CommunicationRequest,
  task: Task | undefined,
  linkTo: (task: string) => string,
): Notice {
  const step = task && followUpKey(task)?.step;
  const due = task?.restriction?.period?.end;
  return {
    id,
    reason: reasonOf(asked),
    request: `CommunicationRequest/${request}`,
    ...(task?.id ? { task: `Task/${task.id}`, link: linkTo(task.id) } : {}),
    ...(step ? { step } : {}),
    ...(due ? { due } : {}),
    priority: asked.priority ?? 'routine',
    facility,
  };
}

export function reasonOf({ reasonCode }: CommunicationRequest): string {
  return reasonCode?.[0]?.coding?.[0]?.code ?? 'other';
}

/** Passes quiet hours and digests. */
export function isUrgent({ priority }: Pick<CommunicationRequest, 'priority'>): boolean {
  return priority === 'stat' || priority === 'asap' || priority === 'urgent';
}

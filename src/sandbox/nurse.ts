// A nurse at the hospital who works in the EHR and has never heard of Baton.
import type { Bundle, Task } from '@medplum/fhirtypes';
import { IDENTIFIER } from '../care/systems.ts';
import { Fault } from '../fault.ts';
import { createSend } from '../remote/client.ts';

export interface EhrReply {
  readonly status: number;
  readonly body: unknown;
}

/** One FHIR request to the EHR; `path` follows its base. */
export type CallEhr = (method: 'GET' | 'PUT', path: string, body?: unknown, ifMatch?: string) => Promise<EhrReply>;

/** The EHR over HTTP, signed in as somebody who works there. */
export function createEhrDoor(fhirBase: () => string, staffToken: () => string): CallEhr {
  const send = createSend({ fetch: globalThis.fetch });
  return async (method, path, body, ifMatch) => {
    const headers = {
      authorization: `Bearer ${staffToken()}`,
      'content-type': 'application/fhir+json',
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    };
    const url = `${fhirBase()}${path}`;
    const result = await send({ method, url, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!result.ok) throw new Fault('upstream', result.failure.message);
    const { status, text } = result.value;
    return { status, body: text ? JSON.parse(text) : undefined };
  };
}

/**
 * Marks the follow-up with this key as done, as somebody in the EHR would: reads it, saves it as the next version.
 * Already done means nothing to do.
 * @param when goes into the note and the execution period
 * @throws Fault not-found | upstream
 */
export async function completeInEhr(call: CallEhr, key: string, note: string, when: Temporal.Instant): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const task = await readTask(call, key);
    if (task.status === 'completed') return;
    const time = when.toString({ smallestUnit: 'second' });
    const done: Task = {
      ...task,
      status: 'completed',
      lastModified: time,
      executionPeriod: { ...task.executionPeriod, end: time },
      note: [...(task.note ?? []), { text: note, time, authorString: 'Nurse at Riverside General Hospital' }],
    };
    const { status } = await call('PUT', `/Task/${task.id}`, done, `W/"${task.meta?.versionId}"`);
    if (status === 200) return;
    // Somebody saved in between: look again, as a person would.
    if (status !== 412 || attempt === 5)
      throw new Fault('upstream', `The EHR answered the update of a Task with ${status}.`);
  }
}

async function readTask(call: CallEhr, key: string): Promise<Task> {
  const { status, body } = await call('GET', `/Task?identifier=${encodeURIComponent(`${IDENTIFIER.followUp}|${key}`)}`);
  const entries = status === 200 ? ((body as Bundle<Task>).entry ?? []) : [];
  const task = entries[0]?.resource;
  if (!task) throw new Fault('not-found', `The EHR has no follow-up ${key} (HTTP ${status}).`);
  return task;
}

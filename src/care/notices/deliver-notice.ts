// A notice of a stay was given: when, how and to whom, whether it was signed, and the signed paper itself. It completes the
// follow-up. 42 CFR 405.1205(b), 422.620(b), 489.20(y): signed and dated by the patient or a representative; a refusal is
// noted with its date.
import { randomUUID } from 'node:crypto';
import type { DocumentReference, Task, TaskOutput } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { concept } from '../concept.ts';
import { followUpAtHand, type OnFollowUp } from '../follow-ups/follow-up-at-hand.ts';
import { requireOrder, requirePast } from '../given-time.ts';
import { movedTask } from '../interventions/move-intervention.ts';
import { knownResource } from '../known-resource.ts';
import { linkedOf } from '../linked.ts';
import { present } from '../present.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { withEnding } from '../transition/ending.ts';
import { isOfStay } from '../transition/episode.ts';
import { stageAfter, stageOf } from '../transition/life.ts';
import { type NoticeDelivery, type NoticeGiven, RECIPIENTS } from './notice-schema.ts';

const PARTS = {
  delivered: 'Delivered',
  method: 'Method',
  'handed-over': 'Handed over',
  telephone: 'By telephone',
  'received-by': 'Received by',
  signed: 'Signed',
  refused: 'Signature refused',
  mailed: 'Mailed',
  language: 'Language',
  document: 'Document',
} as const;
type Part = keyof typeof PARTS;

const partConcept = (part: Part) => concept(CODE_SYSTEM.noticePart, part, PARTS[part]);

/** @throws Fault not-found; unprocessable naming the member, or what may happen to the follow-up instead */
export async function deliverNotice(records: Records, caller: Caller, on: OnFollowUp<NoticeGiven>): Promise<Planned> {
  const { episode, subject, task } = await followUpAtHand(records, on);
  if (!isOfStay(episode))
    throw new Fault('unprocessable', 'This follow-up is no notice of a stay; complete it instead.');
  const { delivered, to = subject, document, note } = on.body;
  await knownResource(records, { subject }, to.reference, RECIPIENTS, 'to');
  checkDelivery({ ...on.body, to }, caller);
  stageAfter(stageOf(task) ?? 'scheduled', 'complete-on-time');
  const completed = movedTask(task, 'complete', { at: delivered, ...(note ? { note } : {}) }, caller);
  const documentId = document && randomUUID();
  const output = [...(completed.output ?? []), ...outputsOf({ ...on.body, to }, documentId)];
  const next: Task = { ...completed, output };
  return {
    changes: [
      { op: 'update', resource: withEnding(next, caller.zone) ?? next, ifMatch: task.meta.versionId },
      ...(document && documentId
        ? [{ op: 'create' as const, id: documentId, resource: signedNotice(task, document, on.body, caller) }]
        : []),
    ],
    about: 0,
  };
}

type Given = NoticeGiven & { readonly to: { readonly reference: string } };

function checkDelivery({ delivered, method, to, signed, refused, mailed }: Given, caller: Caller): void {
  requirePast(delivered, 'delivered', caller);
  for (const [member, at] of Object.entries({ signed, refused, mailed })) {
    if (at === undefined) continue;
    requirePast(at, member, caller);
    requireOrder(delivered, at, ['delivered', member], caller);
  }
  if (signed && refused) throw refusal('A notice is signed, or its signature is refused, not both.', 'refused');
  if (method === 'telephone') {
    if (!to.reference.startsWith('RelatedPerson/')) {
      throw refusal('By telephone a notice is read to a representative; say who it was.', 'to');
    }
    if (!mailed) throw refusal('Say when the copy of what was read was mailed: mailed is missing.', 'mailed');
    return;
  }
  if (!signed && !refused) {
    throw refusal('Say when it was signed, or when the signature was refused: signed is missing.', 'signed');
  }
}

const refusal = (sentence: string, expression: string) =>
  new Fault('unprocessable', sentence, { expression, code: 'business-rule' });

function outputsOf({ delivered, method, to, signed, refused, mailed, language }: Given, document: string | undefined) {
  const at = (part: Part, valueDateTime: string | undefined): TaskOutput[] =>
    valueDateTime ? [{ type: partConcept(part), valueDateTime }] : [];
  const outputs: TaskOutput[] = [
    ...at('delivered', delivered),
    { type: partConcept('method'), valueCodeableConcept: partConcept(method ?? 'handed-over') },
    { type: partConcept('received-by'), valueReference: to },
    ...at('signed', signed),
    ...at('refused', refused),
    ...at('mailed', mailed),
    ...(language ? [{ type: partConcept('language'), valueCode: language }] : []),
    ...(document
      ? [{ type: partConcept('document'), valueReference: { reference: `DocumentReference/${document}` } }]
      : []),
  ];
  return outputs;
}

function signedNotice(
  task: Task,
  document: NonNullable<NoticeGiven['document']>,
  { delivered, signed, refused }: NoticeGiven,
  caller: Caller,
): DocumentReference {
  const { encounter, for: patient, code } = task;
  return {
    resourceType: 'DocumentReference',
    status: 'current',
    docStatus: 'final',
    ...(code ? { type: code } : {}),
    ...(patient ? { subject: patient as NonNullable<DocumentReference['subject']> } : {}),
    date: caller.now.toString({ smallestUnit: 'millisecond' }),
    author: [caller.who as NonNullable<DocumentReference['author']>[number]],
    content: [{ attachment: document }],
    context: {
      ...(encounter ? { encounter: [encounter] } : {}),
      period: { start: signed ?? refused ?? delivered },
      related: [{ reference: `Task/${task.id}` }],
    },
  };
}

/** What a Task says of the delivery of its notice; undefined when it says nothing. */
export function readDelivery({ output = [] }: Task): NoticeDelivery | undefined {
  const part = (code: Part) =>
    output.find(({ type }) => type.coding?.some((one) => one.system === CODE_SYSTEM.noticePart && one.code === code));
  const delivered = part('delivered')?.valueDateTime;
  if (!delivered) return undefined;
  const method = part('method')?.valueCodeableConcept?.coding?.[0]?.code;
  return present<NoticeDelivery>({
    delivered,
    method: method === 'telephone' || method === 'handed-over' ? method : undefined,
    to: linkedOf(part('received-by')?.valueReference),
    signed: part('signed')?.valueDateTime,
    refused: part('refused')?.valueDateTime,
    mailed: part('mailed')?.valueDateTime,
    language: part('language')?.valueCode,
    document: linkedOf(part('document')?.valueReference),
  });
}

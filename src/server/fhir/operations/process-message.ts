// $process-message: notifications of admission, discharge and transfer from other systems.
// https://hl7.org/fhir/R4/messageheader-operation-process-message.html, https://build.fhir.org/ig/HL7/davinci-alerts/
import type { Bundle } from '@medplum/fhirtypes';
import { decideFully } from '../../../access/decide.ts';
import { Fault } from '../../../fault.ts';
import { OWN } from '../../../intake/notification/draft-notification.ts';
import { takeNotification } from '../../../intake/notification/take-notification.ts';
import { Refusal } from '../../../intake/refusal.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { operationInput } from './input.ts';
import type { Operation } from './operation.ts';

export const PROCESS_MESSAGE: Operation = {
  code: 'process-message',
  at: ['system'],
  affectsState: true,
  definition: 'http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message',
  inputs: ['content', 'async', 'response-url'],
  handler: processMessage,
};

/** 200 when everything is stored; no response message, and nothing is done later. */
async function processMessage(context: FhirContext, request: FhirRequest): Promise<Answer> {
  for (const type of ['Patient', 'Encounter']) {
    decideFully(request.grant, 'create', type);
    decideFully(request.grant, 'update', type);
  }
  const content = operationInput(PROCESS_MESSAGE, request, 'content').resource('content');
  if (!content) throw new Fault('invalid', 'Send the message, a Bundle of type message.', { code: 'required' });
  for (const type of writtenTypes(content as Bundle)) {
    decideFully(request.grant, 'create', type);
    decideFully(request.grant, 'update', type);
  }
  try {
    await takeNotification(context, request.grant.actor, content as Bundle);
  } catch (error) {
    throw error instanceof Refusal ? faultOf(error) : error;
  }
  return { status: 200 };
}

/** What comes along about the patient and is stored as well; whom patients share is only made sure of. */
function writtenTypes({ entry }: Bundle): Set<string> {
  const types = Array.isArray(entry) ? entry.map((each) => String(each?.resource?.resourceType)) : [];
  return new Set(types.filter((type) => OWN.has(type)));
}

/** 4xx, which tells the sender not to send it again as it is. */
function faultOf({ code, remark }: Refusal): Fault {
  const kind = remark.condition === '205' ? 'conflict' : code === 'AR' ? 'invalid' : 'unprocessable';
  return new Fault(kind, remark.text, remark.location ? { expression: remark.location } : {});
}

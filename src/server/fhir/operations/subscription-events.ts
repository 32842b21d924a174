// Subscription/[id]/$events: events that a subscriber may have missed, with what it may see of them now.
// https://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-events.html
import type { Subscription } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import { BACKPORT, CONTENTS, type Content } from '../../../subscriptions/backport.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import { operationInput } from './input.ts';
import type { Operation } from './operation.ts';

export const SUBSCRIPTION_EVENTS: Operation = {
  code: 'events',
  at: ['instance'],
  types: ['Subscription'],
  affectsState: false,
  definition: BACKPORT.eventsOperation,
  inputs: ['eventsSinceNumber', 'eventsUntilNumber', 'content'],
  handler: events,
};

async function events(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { subscriptions } = context;
  if (!subscriptions) throw new Fault('not-found', 'Subscriptions are not told here.', { code: 'not-supported' });
  const { grant, params } = request;
  const input = operationInput(SUBSCRIPTION_EVENTS, request);
  const content = input.value('content');
  if (content !== undefined && !CONTENTS.includes(content as Content)) {
    throw new Fault('invalid', `content is one of ${CONTENTS.join(', ')}.`, { code: 'value', expression: 'content' });
  }
  const { content: text } = await readCurrent(context, grant, 'Subscription', params.id ?? '');
  const asked = {
    since: input.count('eventsSinceNumber'),
    until: input.count('eventsUntilNumber'),
    content: content as Content | undefined,
  };
  return { status: 200, body: await subscriptions.events(grant, JSON.parse(text) as Subscription, asked) };
}

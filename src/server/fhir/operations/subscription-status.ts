// Subscription/$status: how Subscriptions stand, those that the grant may read.
// https://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-status.html
import type { Subscription } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import { BACKPORT } from '../../../subscriptions/backport.ts';
import { bundleText, entryText } from '../bundle-text.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import { planSearch } from '../search.ts';
import { operationInput } from './input.ts';
import type { Operation } from './operation.ts';

export const SUBSCRIPTION_STATUS: Operation = {
  code: 'status',
  at: ['type', 'instance'],
  types: ['Subscription'],
  affectsState: false,
  definition: BACKPORT.statusOperation,
  inputs: ['id', 'status'],
  handler: status,
};

async function status(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { subscriptions } = context;
  if (!subscriptions) throw new Fault('not-found', 'Subscriptions are not told here.', { code: 'not-supported' });
  const found = await subscriptionsAsked(context, request);
  const entries = await Promise.all(
    found.map(async (content) => {
      const subscription = JSON.parse(content) as Subscription;
      const resource = JSON.stringify(await subscriptions.status(subscription));
      const fullUrl = `${context.base()}/Subscription/${subscription.id}/$status`;
      return entryText({ fullUrl, resource, search: { mode: 'match' } });
    }),
  );
  return { status: 200, body: bundleText(context.clock, 'searchset', { total: entries.length, entries }) };
}

const MOST = 1_000;

async function subscriptionsAsked(context: FhirContext, request: FhirRequest): Promise<readonly string[]> {
  const { grant, params } = request;
  if (params.id !== undefined) return [(await readCurrent(context, grant, 'Subscription', params.id)).content];
  const input = operationInput(SUBSCRIPTION_STATUS, request);
  const [ids, statuses] = [input.values('id'), input.values('status')];
  const pairs: [string, string][] = [
    ['_count', String(MOST)],
    ...(ids.length > 0 ? [['_id', ids.join(',')] as [string, string]] : []),
    ...(statuses.length > 0 ? [['status', statuses.join(',')] as [string, string]] : []),
  ];
  const query = planSearch(context, grant, { type: 'Subscription', pairs }, 'strict');
  const { items, next } = await context.store.search(query);
  if (next === undefined) return items.map(({ content }) => content);
  throw new Fault('too-large', `There are more than ${MOST}; name them by id.`, { code: 'too-costly' });
}

// What a Subscription asks for, checked: a topic of the backport guide or a search of plain R4, and how it is to be told.
// https://hl7.org/fhir/R4/subscription.html
import type { Extension, Subscription } from '@medplum/fhirtypes';
import { type Fault, Fault as FaultError, type IssueCode } from '../fault.ts';
import type { Condition } from '../fhir/search/query.ts';
import { BACKPORT, CONTENTS, type Content } from './backport.ts';
import { ENDPOINT, type EndpointRule, refusedEndpoint } from './endpoint.ts';
import type { ReadQuery, Topic } from './topic.ts';

export interface Wanted {
  /** Absent: a search of plain R4. */
  readonly topic?: Topic;
  /** Types whose changes can be events. */
  readonly types: readonly string[];
  /** What a resource of the type must fulfil besides what the topic says. */
  readonly filters: ReadonlyMap<string, readonly Condition[]>;
  readonly endpoint: string;
  /** Absent: nothing but that something happened is told. */
  readonly mime?: string;
  readonly content: Content;
  /** Seconds of silence after which a sign of life is sent; absent: none is. */
  readonly heartbeat?: number;
  /** Milliseconds that the subscriber has to answer. */
  readonly timeout: number;
  /** Events in one notification. */
  readonly maxCount: number;
}

export interface Rules {
  readonly topics: ReadonlyMap<string, Topic>;
  readonly read: ReadQuery;
  readonly isType: (type: string) => boolean;
  readonly endpoint: EndpointRule;
}

const MIMES = ['application/fhir+json', 'application/json'];
const TIMEOUT_SECONDS = 10;
const EVENTS_AT_ONCE = 20;

/** @throws Fault unprocessable naming the element that Baton cannot do as it is asked */
export function readWanted(subscription: Subscription, rules: Rules): Wanted {
  if (!isFormed(subscription)) {
    throw wrong('Subscription', 'It is not formed as FHIR says; Subscription/$validate tells where.', 'structure');
  }
  const { channel, criteria = '' } = subscription;
  if (channel?.type !== 'rest-hook') {
    throw wrong('Subscription.channel.type', 'Baton tells subscribers by rest-hook only.', 'not-supported');
  }
  const problem = refusedEndpoint(channel.endpoint, rules.endpoint);
  if (problem !== undefined) throw wrong(ENDPOINT, problem, 'value');
  const asked = /^https?:/.test(criteria) ? topicOf(subscription, rules) : searchOf(subscription, rules);
  return {
    ...asked,
    endpoint: channel.endpoint ?? '',
    ...payloadOf(subscription, asked.topic),
    ...paceOf(subscription),
  };
}

function topicOf({ criteria = '', _criteria }: WithExtensions, { topics, read }: Rules) {
  const topic = topics.get(criteria);
  if (!topic) {
    throw wrong(
      'Subscription.criteria',
      `There is no topic ${criteria}; /metadata names those there are.`,
      'not-supported',
    );
  }
  const types = [...new Set(topic.resourceTrigger.map(({ resource }) => resource))];
  const filters = new Map<string, Condition[]>(types.map((type) => [type, []]));
  for (const { valueString = '' } of extensionsOf(_criteria, BACKPORT.filter)) {
    for (const type of typesOfFilter(valueString, types)) {
      const query = valueString.slice(valueString.indexOf('?') + 1);
      for (const name of new URLSearchParams(query).keys()) checkFilter(topic, type, name);
      filters.get(type)?.push(...readAt(FILTER, read, type, query));
    }
  }
  return { topic, types, filters };
}

const FILTER = `Subscription.criteria.extension('${BACKPORT.filter}')`;

/** A filter without a type is for every type of the topic. */
function typesOfFilter(filter: string, types: readonly string[]): readonly string[] {
  const mark = filter.indexOf('?');
  if (mark <= 0) return types;
  const type = filter.slice(0, mark);
  if (types.includes(type)) return [type];
  throw wrong(
    FILTER,
    `The topic is about ${types.join(', ')}; a filter on another type would never be asked.`,
    'value',
  );
}

function checkFilter({ canFilterBy = [] }: Topic, type: string, name: string): void {
  const [parameter, modifier] = name.split(':');
  const own = canFilterBy.filter(({ resource }) => resource === undefined || resource === type);
  const offered = own.find(({ filterParameter }) => filterParameter === parameter);
  if (offered && (modifier === undefined || offered.modifier?.includes(modifier))) return;
  const names = own.map(({ filterParameter }) => filterParameter).join(', ');
  throw wrong(FILTER, `The topic cannot be filtered by ${name}; it can by ${names || 'nothing'}.`, 'not-supported');
}

/** The one is how telling is steered, the other is no entry of the log. */
const NEVER_TOLD: ReadonlySet<string> = new Set(['Subscription', 'AuditEvent']);

function searchOf({ criteria = '', _criteria }: WithExtensions, { read, isType }: Rules) {
  if (extensionsOf(_criteria, BACKPORT.filter).length > 0) {
    throw wrong(FILTER, 'Only a topic is filtered; put it into the search of the criteria.', 'not-supported');
  }
  const mark = criteria.indexOf('?');
  const type = mark < 0 ? criteria : criteria.slice(0, mark);
  if (!isType(type)) {
    const sentence = 'The criteria must be a search like Task?status=ready, or the canonical of a topic.';
    throw wrong('Subscription.criteria', sentence, 'value');
  }
  if (NEVER_TOLD.has(type)) {
    throw wrong('Subscription.criteria', `Changes of ${type} resources are no events.`, 'not-supported');
  }
  const conditions = readAt('Subscription.criteria', read, type, mark < 0 ? '' : criteria.slice(mark + 1));
  return { types: [type], filters: new Map([[type, conditions]]) } as Pick<Wanted, 'topic' | 'types' | 'filters'>;
}

function payloadOf({ channel }: WithExtensions, topic: Topic | undefined): Pick<Wanted, 'mime' | 'content'> {
  const { payload, _payload } = channel;
  if (payload !== undefined && !MIMES.includes(payload)) {
    throw wrong('Subscription.channel.payload', `The payload can be ${MIMES.join(' or ')}.`, 'not-supported');
  }
  const [carried] = extensionsOf(_payload, BACKPORT.content);
  const content = carried?.valueCode as Content | undefined;
  const at = `Subscription.channel.payload.extension('${BACKPORT.content}')`;
  if (!topic && carried) {
    const sentence = 'Plain R4 tells whole resources, or without channel.payload nothing; only a topic goes by that.';
    throw wrong(at, sentence, 'not-supported');
  }
  if (!topic) return payload === undefined ? { content: 'empty' } : { mime: payload, content: 'full-resource' };
  if (payload === undefined) {
    throw wrong('Subscription.channel.payload', `A topic needs a payload: ${MIMES.join(' or ')}.`, 'required');
  }
  if (content !== undefined && CONTENTS.includes(content)) return { mime: payload, content };
  throw wrong(
    at,
    `Say what the payload is to carry: ${CONTENTS.join(', ')}.`,
    content === undefined ? 'required' : 'value',
  );
}

function paceOf({ channel }: WithExtensions): Pick<Wanted, 'heartbeat' | 'timeout' | 'maxCount'> {
  if (
    extensionsOf(channel, BACKPORT.channelType).length > 0 ||
    extensionsOf(channel._type, BACKPORT.channelType).length > 0
  ) {
    throw wrong('Subscription.channel.type', 'Baton knows no channel but rest-hook.', 'not-supported');
  }
  const number = (url: string, least: number, most: number) => {
    const [found] = extensionsOf(channel, url);
    if (!found) return undefined;
    const value = found.valueUnsignedInt ?? found.valuePositiveInt;
    if (value !== undefined && value >= least && value <= most) return value;
    throw wrong(`Subscription.channel.extension('${url}')`, `It is a number from ${least} to ${most}.`, 'value');
  };
  const heartbeat = number(BACKPORT.heartbeat, 60, 86_400);
  return {
    ...(heartbeat === undefined ? {} : { heartbeat }),
    timeout: (number(BACKPORT.timeout, 1, 30) ?? TIMEOUT_SECONDS) * 1_000,
    maxCount: number(BACKPORT.maxCount, 1, 100) ?? EVENTS_AT_ONCE,
  };
}

function readAt(expression: string, read: ReadQuery, type: string, query: string): readonly Condition[] {
  try {
    return read(type, query);
  } catch (error) {
    if (!(error instanceof FaultError) || error.kind !== 'invalid') throw error;
    throw wrong(expression, error.message, error.issues[0]?.code ?? 'value');
  }
}

interface Extended {
  readonly extension?: readonly Extension[];
}

/** Extensions of primitive elements, which the types do not know. */
type WithExtensions = Subscription & {
  readonly _criteria?: Extended;
  readonly channel: Subscription['channel'] & { readonly _payload?: Extended; readonly _type?: Extended };
};

/** The store validates as a whole, but later: what is read here is not yet known to be what its types say. */
function isFormed(subscription: WithExtensions): boolean {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  const { criteria, _criteria, channel } = subscription;
  if (!isText(criteria) || !isObject(channel) || !isText(channel.endpoint)) return false;
  const extended = [channel, _criteria, channel._payload, channel._type].filter((element) => element !== undefined);
  return extended.every((element: unknown) => {
    const { extension = [] } = (isObject(element) ? element : { extension: 0 }) as { readonly extension?: unknown };
    return Array.isArray(extension) && extension.every((one) => isObject(one) && isText(one.valueString));
  });
}

const extensionsOf = (element: Extended | undefined, url: string): readonly Extension[] =>
  element?.extension?.filter((one) => one.url === url) ?? [];

function wrong(expression: string, sentence: string, code: IssueCode): Fault {
  return new FaultError('unprocessable', sentence, { expression, code });
}

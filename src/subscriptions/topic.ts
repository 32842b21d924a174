// Topics as data: profiles/subscription-topics/, in the words of R5's SubscriptionTopic, of which R4 has no resource of its
// own. https://hl7.org/fhir/R5/subscriptiontopic.html
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Fault } from '../fault.ts';
import type { Condition } from '../fhir/search/query.ts';

export interface Trigger {
  readonly resource: string;
  /** Absent: every one. */
  readonly supportedInteraction?: readonly ('create' | 'update' | 'delete')[];
  readonly queryCriteria?: {
    readonly previous?: string;
    readonly resultForCreate?: 'test-passes' | 'test-fails';
    readonly current?: string;
    readonly resultForDelete?: 'test-passes' | 'test-fails';
    readonly requireBoth?: boolean;
  };
}

export interface Topic {
  readonly url: string;
  readonly title: string;
  readonly description: string;
  readonly resourceTrigger: readonly Trigger[];
  readonly canFilterBy?: readonly {
    readonly resource?: string;
    readonly filterParameter: string;
    readonly modifier?: readonly string[];
  }[];
}

/** Search parameters of a type, `status=ready&owner=Practitioner/1`, as conditions. @throws Fault invalid */
export type ReadQuery = (type: string, query: string) => readonly Condition[];

const text = { type: 'string', minLength: 1 } as const;
const outcome = { enum: ['test-passes', 'test-fails'] } as const;

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['resourceType', 'url', 'status', 'title', 'description', 'resourceTrigger'],
  properties: {
    resourceType: { const: 'SubscriptionTopic' },
    url: { type: 'string', pattern: '^https?://[^\\s|]+$' },
    status: { const: 'active' },
    title: text,
    description: text,
    resourceTrigger: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['resource'],
        properties: {
          description: text,
          resource: { type: 'string', pattern: '^[A-Z][A-Za-z]+$' },
          supportedInteraction: { type: 'array', minItems: 1, items: { enum: ['create', 'update', 'delete'] } },
          queryCriteria: {
            type: 'object',
            additionalProperties: false,
            properties: {
              previous: text,
              resultForCreate: outcome,
              current: text,
              resultForDelete: outcome,
              requireBoth: { type: 'boolean' },
            },
          },
        },
      },
    },
    canFilterBy: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['filterParameter'],
        properties: {
          description: text,
          resource: { type: 'string', pattern: '^[A-Z][A-Za-z]+$' },
          filterParameter: text,
          modifier: { type: 'array', minItems: 1, items: text },
        },
      },
    },
  },
} as const;

/**
 * By canonical.
 * @throws Fault unprocessable naming the file that is no topic, or asks what Baton cannot answer
 */
export function loadTopics(folder: string, read: ReadQuery): ReadonlyMap<string, Topic> {
  const check = new Ajv().compile<Topic>(SCHEMA);
  const topics = new Map<string, Topic>();
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.json')) continue;
    const wrong = (why: string, cause?: unknown) =>
      new Fault('unprocessable', `profiles/subscription-topics/${name} ${why}`, { cause });
    const value: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    if (!check(value)) throw wrong(`is no topic: ${check.errors?.[0]?.instancePath} ${check.errors?.[0]?.message}.`);
    if (topics.has(value.url)) throw wrong('has the url of another topic.');
    try {
      for (const { resource, queryCriteria } of value.resourceTrigger) {
        read(resource, queryCriteria?.previous ?? '');
        read(resource, queryCriteria?.current ?? '');
      }
    } catch (error) {
      throw wrong(`cannot be asked: ${(error as Error).message}`, error);
    }
    topics.set(value.url, value);
  }
  return topics;
}

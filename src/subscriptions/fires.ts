// Whether a change of a resource is an event of a topic. https://hl7.org/fhir/R5/subscriptiontopic.html#query-criteria
import type { Resource } from '@medplum/fhirtypes';
import type { Matcher } from '../fhir/search/in-memory/matcher.ts';
import type { ReadQuery, Trigger } from './topic.ts';

/** What the log says of one change. */
export interface ResourceChange {
  readonly type: string;
  readonly operation: 'create' | 'update' | 'delete';
  /** Undefined when it was deleted. */
  readonly current: Resource | undefined;
  /** Undefined when there was none, or it had been deleted. */
  readonly previous: Resource | undefined;
}

export function fires(trigger: Trigger, change: ResourceChange, matcher: Matcher, read: ReadQuery): boolean {
  const { resource, supportedInteraction, queryCriteria } = trigger;
  if (resource !== change.type || !(supportedInteraction?.includes(change.operation) ?? true)) return false;
  const { previous, current, resultForCreate, resultForDelete, requireBoth = false } = queryCriteria ?? {};
  const test = (query: string, of: Resource | undefined, otherwise: string | undefined) =>
    of ? matcher.matches(of, read(resource, query)) : otherwise !== 'test-fails';
  if (previous === undefined) return current === undefined || test(current, change.current, resultForDelete);
  const was = test(previous, change.previous, resultForCreate);
  if (current === undefined) return was;
  const is = test(current, change.current, resultForDelete);
  return requireBoth ? was && is : was || is;
}

// One version in the log as the story sees it.
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import type { LogEntry, Store } from '../../store/store.ts';

export interface Event<T extends Resource = Resource> {
  readonly entry: LogEntry;
  readonly now: T;
  readonly at: Temporal.Instant;
}

export interface Telling {
  readonly store: Store;
  readonly zone: string;
  /** URL of a resource in Baton. */
  readonly link: (type: string, id: string) => string;
}

export function eventsOf(entries: readonly LogEntry[]): Event[] {
  return entries
    .filter((entry) => entry.content !== '')
    .map((entry) => ({
      entry,
      now: JSON.parse(entry.content) as Resource,
      at: Temporal.Instant.from(entry.lastUpdated),
    }));
}

export function eventsAbout<K extends ResourceType>(
  events: readonly Event[],
  type: K,
): Event<Extract<Resource, { resourceType: K }>>[] {
  return events.filter(
    (event): event is Event<Extract<Resource, { resourceType: K }>> => event.now.resourceType === type,
  );
}

/** The version before, if there is one. */
export async function before<T extends Resource>({ entry }: Event<T>, store: Store): Promise<T | undefined> {
  const earlier = await store.vread(entry.type, entry.id, String(Number(entry.versionId) - 1));
  return earlier?.content ? (JSON.parse(earlier.content) as T) : undefined;
}

/** Puts together what belongs together, in the order of the first of each. */
export function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return [...groups.values()];
}

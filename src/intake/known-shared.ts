// Clinicians, places and payers come in every message and never change by one: who was found a moment ago is not looked for
// again.
import type { Clock } from '../clock.ts';
import type { Draft } from './map/drafts.ts';

export interface KnownShared {
  /** Id of the stored resource with the draft's identifier, when it was seen lately. */
  idOf(draft: Draft): string | undefined;
  note(draft: Draft, id: string): void;
}

const MOST = 20_000;
/** Somebody may delete one meanwhile. */
const KEPT_MS = 60_000;

export function createKnownShared(clock: Clock): KnownShared {
  const ids = new Map<string, { readonly id: string; readonly until: number }>();
  const now = () => clock.real().epochMilliseconds;
  return {
    idOf(draft) {
      const known = ids.get(keyOf(draft));
      return known && known.until > now() ? known.id : undefined;
    },
    note(draft, id) {
      if (ids.size >= MOST) ids.clear();
      ids.set(keyOf(draft), { id, until: now() + KEPT_MS });
    },
  };
}

const keyOf = ({ resource, match }: Draft) => `${resource.resourceType}|${match.system}|${match.value}`;

// The statuses that a case went through, as entries of the timeline.

import { codedOf } from '../coded.ts';
import type { Kept } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import type { TimelineEntry } from '../timeline/timeline-schema.ts';
import { extensionOf } from './episode.ts';

/** Newest first. */
export function statusEntries({ id, status, statusHistory, period }: Kept<'EpisodeOfCare'>): TimelineEntry[] {
  const history = statusHistory ?? [{ status, period: period ?? {} }];
  return history
    .map((past): TimelineEntry => {
      const reason = codedOf(extensionOf(past, EXTENSION.caseStatusReason)?.valueCodeableConcept);
      return {
        kind: 'case-status',
        ...(past.period.start === undefined ? {} : { when: past.period.start }),
        what: `Case ${past.status}`,
        ...(reason ? { code: reason } : {}),
        status: past.status,
        reference: `EpisodeOfCare/${id}`,
      };
    })
    .toReversed();
}

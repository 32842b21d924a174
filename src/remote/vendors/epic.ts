// Epic: no _lastUpdated, no conditional interactions, no stated versioning; rates by agreement, so gentle by default.
import type { Vendor } from './vendor.ts';

export const EPIC: Vendor = {
  name: 'epic',
  ifMatch: 'as-stated',
  unlistedSearch: ['_id'],
  visibilitySeconds: 30,
  requestsPerSecond: 5,
  concurrency: 2,
  pageSize: 100,
  projections: { CarePlan: 'DocumentReference', Goal: 'DocumentReference', Task: 'Communication' },
};

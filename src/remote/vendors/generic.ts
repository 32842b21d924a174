// A server of which nothing is known but its CapabilityStatement.
import type { Vendor } from './vendor.ts';

export const GENERIC: Vendor = {
  name: 'generic',
  ifMatch: 'as-stated',
  unlistedSearch: ['_id', '_lastUpdated'],
  visibilitySeconds: 10,
  requestsPerSecond: 20,
  concurrency: 4,
  pageSize: 100,
  elements: true,
  lastUpdatedNeedsPatient: false,
  required: {},
  harmlessOutcomes: [],
  restrictedOutcomes: [],
  overlapSeconds: 240,
};

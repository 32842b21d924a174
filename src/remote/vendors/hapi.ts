// HAPI FHIR: everything is there; conditional creates race with each other, and search results are cached for a minute
// unless a request says no-cache, which every request of ours does.
// https://github.com/hapifhir/hapi-fhir/issues/3141
import type { Vendor } from './vendor.ts';

export const HAPI: Vendor = {
  name: 'hapi',
  ifMatch: 'supported',
  unlistedSearch: ['_id', '_lastUpdated'],
  visibilitySeconds: 5,
  requestsPerSecond: 200,
  concurrency: 8,
  pageSize: 200,
  elements: true,
  lastUpdatedNeedsPatient: false,
  required: {},
  harmlessOutcomes: [],
  restrictedOutcomes: [],
  overlapSeconds: 240,
};

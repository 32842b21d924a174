// HAPI FHIR: everything is there; search results may be cached for a minute, conditional creates race with each other.
// https://github.com/hapifhir/hapi-fhir/issues/3141
import type { Vendor } from './vendor.ts';

export const HAPI: Vendor = {
  name: 'hapi',
  ifMatch: 'supported',
  unlistedSearch: ['_id', '_lastUpdated'],
  visibilitySeconds: 60,
  requestsPerSecond: 200,
  concurrency: 8,
  pageSize: 200,
};

// Oracle Health (Millennium): updates need If-Match; 412 says that it is missing, 409 that it is stale.
import type { Vendor } from './vendor.ts';

export const ORACLE: Vendor = {
  name: 'oracle',
  ifMatch: 'required',
  unlistedSearch: ['_id'],
  visibilitySeconds: 30,
  requestsPerSecond: 5,
  concurrency: 2,
  pageSize: 100,
  elements: false,
  lastUpdatedNeedsPatient: true,
  // "Ranges (multiple values) are not supported", says its CapabilityStatement of this type; of others "must create a closed range".
  openRanges: ['MedicationDispense'],
  required: { CarePlan: ['category=assess-plan'] },
  harmlessOutcomes: [],
  restrictedOutcomes: [],
  overlapSeconds: 300,
  projections: { CarePlan: 'DocumentReference', Goal: 'DocumentReference', Task: 'Communication' },
  // "Must contain only one entry": DocumentReference.content in Oracle's description of the create.
  documentFormats: ['application/pdf'],
};

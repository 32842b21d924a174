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
  elements: false,
  lastUpdatedNeedsPatient: true,
  required: {
    // Longitudinal, encounter, outpatient, inpatient, dental, oncology: one by one, as lists came with the release of August 2021.
    CarePlan: ['38717003', '734163000', '736271009', '736353004', '738906000', '736378000'].map(
      (category) => `category=http://snomed.info/sct%7C${category}`,
    ),
    CareTeam: ['status=active'],
  },
  // 4101: nothing was found. 4119 and 4127 say that the answer may be incomplete.
  harmlessOutcomes: ['4101'],
  // Break-the-glass: this one patient is not shown to us.
  restrictedOutcomes: ['4130', '4131', '4134'],
  overlapSeconds: 300,
  projections: { CarePlan: 'DocumentReference', Goal: 'DocumentReference', Task: 'Communication' },
};

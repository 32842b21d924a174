// What an evidence record needs beside the record of the patient: where the facility is in time, and where patients went.
import type { Encounter } from '@medplum/fhirtypes';
import type { BusinessCalendar } from '../business-calendar.ts';
import type { Destination } from '../transition/discharge.ts';

export interface EvidenceSources {
  /** The clock and calendar of the facility that an Organization stands for. */
  readonly placeOf: (
    organization: { readonly reference?: string } | undefined,
  ) => Promise<{ readonly zone: string; readonly calendar: BusinessCalendar }>;
  readonly destinationOf: (encounter: Encounter) => Destination;
}

// The day that an instant falls on at a place, kept beside the instant: zones change their rules, and an offset does not say
// where it is.
import type { Extension, Period } from '@medplum/fhirtypes';
import { localDate } from './local-time.ts';
import { EXTENSION } from './systems.ts';

/** Extension local-day of a Period: the day its end falls on in `zone`. */
export function localDay(end: Temporal.Instant, zone: string): Extension {
  return {
    url: EXTENSION.localDay,
    extension: [
      { url: 'date', valueDate: localDate(end, zone).toString() },
      { url: 'zone', valueCode: zone },
    ],
  };
}

/** Undefined when the period does not say it. */
export function localDayOf(period: Period | undefined): { readonly date: string; readonly zone: string } | undefined {
  const parts = period?.extension?.find(({ url }) => url === EXTENSION.localDay)?.extension ?? [];
  const date = parts.find(({ url }) => url === 'date')?.valueDate;
  const zone = parts.find(({ url }) => url === 'zone')?.valueCode;
  return date === undefined || zone === undefined ? undefined : { date, zone };
}

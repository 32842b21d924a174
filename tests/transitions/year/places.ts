// Where the simulated year happens: hospitals in five time zones, each with its own idea of a business day. Calendars are
// closed days written out, so that Baton and the reckoning of what should have happened share no rule.
import type { CalendarDefinition } from '../../../src/care/business-calendar.ts';

export interface Place {
  readonly code: string;
  readonly name: string;
  readonly zone: string;
  /** ISO weekdays without business. */
  readonly weekend: readonly number[];
  /** Closed days of 2026 and the first months of 2027. */
  readonly closed: readonly string[];
  /** Name of its calendar. */
  readonly calendar: string;
}

/** 5 U.S.C. 6103 as published by the Office of Personnel Management for 2026 and 2027, observed days. */
const FEDERAL = [
  '2026-01-01',
  '2026-01-19',
  '2026-02-16',
  '2026-05-25',
  '2026-06-19',
  '2026-07-03',
  '2026-09-07',
  '2026-10-12',
  '2026-11-11',
  '2026-11-26',
  '2026-12-25',
  '2027-01-01',
  '2027-01-18',
  '2027-02-15',
];

/** Feiertage in Berlin. */
const BERLIN = [
  '2026-01-01',
  '2026-03-08',
  '2026-04-03',
  '2026-04-06',
  '2026-05-01',
  '2026-05-14',
  '2026-05-25',
  '2026-10-03',
  '2026-12-25',
  '2026-12-26',
  '2027-01-01',
];

/** Some public holidays in Nepal; Saturday is the only day of rest. */
const NEPAL = ['2026-04-14', '2026-05-01', '2026-05-29', '2026-09-19', '2026-10-18', '2026-10-20', '2026-11-09'];

/** New South Wales. */
const LORD_HOWE = ['2026-01-01', '2026-01-26', '2026-04-03', '2026-04-06', '2026-06-08', '2026-10-05', '2026-12-25'];

const place = (code: string, zone: string, calendar: string, weekend: number[], closed: string[]): Place => ({
  code,
  name: `Hospital ${code}`,
  zone,
  weekend,
  closed,
  calendar,
});

export const PLACES: readonly Place[] = [
  // The calendar that Baton ships, by rules; here its days are written out.
  place('NYC', 'America/New_York', 'us-federal', [6, 7], FEDERAL),
  place('CHI', 'America/Chicago', 'us-federal', [6, 7], FEDERAL),
  place('BER', 'Europe/Berlin', 'year-berlin', [6, 7], BERLIN),
  place('KTM', 'Asia/Kathmandu', 'year-nepal', [6], NEPAL),
  place('LHI', 'Australia/Lord_Howe', 'year-lord-howe', [6, 7], LORD_HOWE),
];

/** Ids of Practitioners. */
export const STAFF = ['manager-1', 'manager-2', 'backup-1', 'backup-2', 'supervisor-1', 'supervisor-2', 'supervisor-3'];

/** The calendars that are not Baton's own, as configuration. */
export const YEAR_CALENDARS: readonly CalendarDefinition[] = PLACES.filter(({ calendar }) =>
  calendar.startsWith('year-'),
).map(({ calendar, weekend, closed }) => ({
  name: calendar,
  weekend,
  closed: closed.map((date) => ({ date, name: 'Closed' })),
}));

export function placeOf(code: string): Place {
  const found = PLACES.find((one) => one.code === code);
  if (!found) throw new Error(`There is no place ${code}.`);
  return found;
}

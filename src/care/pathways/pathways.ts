// Pathways with the days they are counted in, as the server hands them to whoever applies one.
import type { Resource } from '@medplum/fhirtypes';
import type { Moment } from '../apply/in-effect.ts';
import type { BusinessCalendar } from '../business-calendar.ts';
import { createPathwayLibrary, type PathwayLibrary } from './pathway-library.ts';

export interface Pathways {
  readonly library: PathwayLibrary;
  /** Of the place that cases are managed at. */
  readonly calendar: BusinessCalendar;
}

/** Without holidays. */
const WEEKDAYS: BusinessCalendar = {
  name: 'Monday to Friday',
  isBusinessDay: ({ dayOfWeek }) => dayOfWeek <= 5,
  holidayOn: () => undefined,
};

/**
 * @param artefacts resources of profiles/
 * @param calendar absent: Monday to Friday
 * @param moment of several versions of a definition the one in effect counts; absent: the newest
 * @throws Fault unprocessable naming pathway and action, when one cannot be carried out
 */
export function createPathways(
  artefacts: readonly Resource[],
  calendar: BusinessCalendar = WEEKDAYS,
  moment?: () => Moment,
): Pathways {
  return { library: createPathwayLibrary(artefacts, moment), calendar };
}

/** For a server that brings none. */
export const NO_PATHWAYS: Pathways = createPathways([]);

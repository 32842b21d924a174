// A moment as HTTP headers write it.
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 9110 §5.6.7, e.g. `Fri, 20 Nov 2026 13:00:00 GMT`. */
export function httpDate(instant: Temporal.Instant): string {
  const utc = instant.toZonedDateTimeISO('UTC');
  const day = String(utc.day).padStart(2, '0');
  const time = utc.toPlainTime().toString({ smallestUnit: 'second' });
  return `${DAYS[utc.dayOfWeek - 1]}, ${day} ${MONTHS[utc.month - 1]} ${utc.year} ${time} GMT`;
}

// Dates in HTTP headers (Date, Last-Modified, If-Modified-Since, Retry-After), written in the one form that senders use
// and read in all three that receivers must know. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const PREFERRED = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/;
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC850 = /^\w+, (\d{2})-(\w{3})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/;
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = /^\w{3} (\w{3}) ([ \d]\d) (\d{2}:\d{2}:\d{2}) (\d{4})$/;

/** The instant as an HTTP-date, e.g. `Tue, 24 Nov 2026 01:05:00 GMT`. */
export function httpDate(instant: Temporal.Instant): string {
  const second = Math.floor(instant.epochMilliseconds / 1000);
  const known = written.get(second);
  if (known !== undefined) return known;
  const text = write(instant);
  const [oldest] = written.keys();
  if (written.size >= KEPT && oldest !== undefined) written.delete(oldest);
  written.set(second, text);
  return text;
}

/** Seconds since 1970 to their text: resources that were written together are read together. */
const written = new Map<number, string>();
const KEPT = 1_000;

function write(instant: Temporal.Instant): string {
  const time = instant.toZonedDateTimeISO('UTC');
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${DAYS[time.dayOfWeek - 1]}, ${two(time.day)} ${MONTHS[time.month - 1]} ${time.year}`;
  return `${day} ${two(time.hour)}:${two(time.minute)}:${two(time.second)} GMT`;
}

/** An HTTP-date in any of its three forms; undefined for anything else, which HTTP says to ignore. */
export function parseHttpDate(text: string): Temporal.Instant | undefined {
  const preferred = PREFERRED.exec(text);
  if (preferred) return instant(preferred[3], preferred[2], preferred[1], preferred[4]);
  const rfc850 = RFC850.exec(text);
  if (rfc850) return instant(`20${rfc850[3]}`, rfc850[2], rfc850[1], rfc850[4]);
  const asctime = ASCTIME.exec(text);
  if (asctime) return instant(asctime[4], asctime[1], asctime[2]?.replace(' ', '0'), asctime[3]);
  return undefined;
}

function instant(year = '', month = '', day = '', time = ''): Temporal.Instant | undefined {
  const number = MONTHS.indexOf(month) + 1;
  if (number === 0) return undefined;
  try {
    return Temporal.Instant.from(`${year}-${String(number).padStart(2, '0')}-${day}T${time}Z`);
  } catch {
    return undefined;
  }
}

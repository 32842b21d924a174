// Dates in HTTP headers: the Date header, and Retry-After in both of its forms.
// https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const PREFERRED = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/;
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC850 = /^\w+, (\d{2})-(\w{3})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/;
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = /^\w{3} (\w{3}) ([ \d]\d) (\d{2}:\d{2}:\d{2}) (\d{4})$/;
const LONGEST_PAUSE = Temporal.Duration.from({ hours: 1 });

/** An HTTP-date in any of its three forms; undefined for anything else. */
export function parseHttpDate(text: string): Temporal.Instant | undefined {
  const preferred = PREFERRED.exec(text);
  if (preferred) return instant(preferred[3], preferred[2], preferred[1], preferred[4]);
  const rfc850 = RFC850.exec(text);
  if (rfc850) return instant(`20${rfc850[3]}`, rfc850[2], rfc850[1], rfc850[4]);
  const asctime = ASCTIME.exec(text);
  if (asctime) return instant(asctime[4], asctime[1], asctime[2]?.replace(' ', '0'), asctime[3]);
  return undefined;
}

/**
 * How long to pause.
 * @param header seconds or an HTTP-date
 * @param now the remote's own clock (its Date header) when known, so that skew between the clocks does not matter
 * @returns at most one hour; undefined when absent or unreadable
 */
export function parseRetryAfter(header: string | null, now: Temporal.Instant): Temporal.Duration | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  const until = parseHttpDate(text);
  const seconds = /^\d+$/.test(text) ? Number(text) : until ? now.until(until).total('seconds') : undefined;
  if (seconds === undefined) return undefined;
  const bounded = Math.min(Math.max(0, Math.ceil(seconds)), LONGEST_PAUSE.total('seconds'));
  return Temporal.Duration.from({ seconds: bounded });
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

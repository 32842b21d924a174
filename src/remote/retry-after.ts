// Retry-After in both of its forms. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
import { parseHttpDate } from '../fhir/http-date.ts';

const LONGEST_PAUSE = Temporal.Duration.from({ hours: 1 });

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

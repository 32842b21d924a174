// Milliseconds since 1970 <-> FHIR instant. Hot on every read, hence the remembered day.
import { Fault } from '../fault.ts';

const DAY = 86_400_000;
let rememberedDay = Number.NaN;
let rememberedPrefix = '';

/** `2026-11-24T01:02:03.004Z`: always UTC, always milliseconds. https://hl7.org/fhir/R4/datatypes.html#instant */
export function formatInstant(milliseconds: number): string {
  const day = Math.floor(milliseconds / DAY);
  if (day !== rememberedDay) {
    const start = Temporal.Instant.fromEpochMilliseconds(day * DAY).toString();
    rememberedPrefix = start.slice(0, start.indexOf('T') + 1);
    rememberedDay = day;
  }
  const rest = milliseconds - day * DAY;
  const hours = Math.floor(rest / 3_600_000);
  const minutes = Math.floor(rest / 60_000) % 60;
  const seconds = Math.floor(rest / 1_000) % 60;
  return `${rememberedPrefix}${two(hours)}:${two(minutes)}:${two(seconds)}.${three(rest % 1_000)}Z`;
}

/**
 * First millisecond that is not before `instant`.
 * @throws Fault invalid
 */
export function parseInstant(instant: string, parameter: string): number {
  try {
    const nanoseconds = Temporal.Instant.from(instant).epochNanoseconds;
    const milliseconds = nanoseconds / 1_000_000n;
    return Number(milliseconds) + (nanoseconds > milliseconds * 1_000_000n ? 1 : 0);
  } catch (cause) {
    throw new Fault('invalid', `${parameter} must be a FHIR instant such as 2026-11-24T08:30:00Z.`, {
      code: 'value',
      cause,
    });
  }
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function three(value: number): string {
  return value < 10 ? `00${value}` : value < 100 ? `0${value}` : String(value);
}

// Prints the story in aligned lines: day, local time, what happened, where to look.

export interface Happening {
  readonly at: Temporal.Instant;
  readonly text: string;
  /** A second line. */
  readonly more?: string;
  /** URL of the resource it is about. */
  readonly link?: string;
}

export interface Page {
  /** A line of its own, for titles and remarks. */
  say(text: string): void;
  tell(happening: Happening): void;
}

const INDENT = ' '.repeat(19);

/** @param write receives whole lines, newline included @param zone IANA zone the times are shown in */
export function createPage(write: (text: string) => void, zone: string): Page {
  let lastDay = '';
  return {
    say(text) {
      lastDay = '';
      write(`${text}\n`);
    },
    tell({ at, text, more, link }) {
      const day = localDay(at, zone);
      const time = localTime(at, zone);
      write(`${(day === lastDay ? '' : day).padEnd(12)}${time}  ${text}\n`);
      if (more) write(`${INDENT}${more}\n`);
      if (link) write(`${INDENT}${link}\n`);
      lastDay = day;
    },
  };
}

/** `Fri 20 Nov` */
function localDay(at: Temporal.Instant, zone: string): string {
  const date = at.toZonedDateTimeISO(zone);
  const name = (options: Intl.DateTimeFormatOptions) => date.toPlainDate().toLocaleString('en-GB', options);
  return `${name({ weekday: 'short' })} ${date.day} ${name({ month: 'short' }).slice(0, 3)}`;
}

/** `09:15` */
function localTime(at: Temporal.Instant, zone: string): string {
  return at.toZonedDateTimeISO(zone).toPlainTime().toString({ smallestUnit: 'minute' });
}

/** `Mon 30 Nov 23:59` */
export const localMoment = (at: Temporal.Instant, zone: string): string =>
  `${localDay(at, zone)} ${localTime(at, zone)}`;

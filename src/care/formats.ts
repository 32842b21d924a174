// The formats that members of a request may have, beside their type: how FHIR writes dates, references and addresses.
// https://hl7.org/fhir/R4/datatypes.html
import { parseLiteral } from '../fhir/references.ts';

interface Format {
  /** For a sentence: `must be …`. */
  readonly means: string;
  readonly accepts: (text: string) => boolean;
}

export const FORMATS: Readonly<Record<string, Format>> = {
  date: { means: 'a date like 2026-11-28', accepts: isDate },
  'partial-date': {
    means: 'a year, a month or a date like 2026, 2026-11 or 2026-11-28',
    accepts: (text) => /^\d{4}(-(0[1-9]|1[0-2]))?$/.test(text) || isDate(text),
  },
  'date-time': { means: 'a moment with its offset, like 2026-11-28T14:00:00-05:00', accepts: isMoment },
  'date-or-time': {
    means: 'a date like 2026-11-28, or a moment with its offset, like 2026-11-28T14:00:00-05:00',
    accepts: (text) => isDate(text) || isMoment(text),
  },
  uri: { means: 'an absolute URI', accepts: (text) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(text) },
  reference: {
    means: 'a reference to a resource, like Practitioner/12',
    accepts: (text) => {
      const target = parseLiteral(text);
      return target !== undefined && target.version === undefined;
    },
  },
};

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  try {
    Temporal.PlainDate.from(text, { overflow: 'reject' });
    return true;
  } catch {
    return false;
  }
}

function isMoment(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(text)) return false;
  try {
    Temporal.Instant.from(text);
    return true;
  } catch {
    return false;
  }
}

// A search for AuditEvents as tests on the trail. https://hl7.org/fhir/R4/auditevent.html#search
import { Fault } from '../fault.ts';
import type { Pairs } from '../fhir/request-url.ts';
import { dateRange } from '../fhir/search/date-range.ts';
import type { AuditPosition, AuditTest } from '../store/audit-search.ts';
import { testOfSubtype, testOfType } from './interaction-coding.ts';

export interface AuditQuery {
  readonly tests: readonly AuditTest[];
  readonly ascending: boolean;
  readonly count: number;
  readonly total: boolean;
  readonly after: AuditPosition | undefined;
  /** Ids of the patients that it asks about. */
  readonly patients: readonly string[];
  /** Parameters as they were applied, for the links. */
  readonly applied: Pairs;
  /** Parameters that were not understood (handling=lenient only). */
  readonly ignored: readonly string[];
}

export interface AuditQueryOptions {
  readonly handling: 'strict' | 'lenient';
  /** FHIR base URL: absolute references below it are local. */
  readonly base: string;
}

/** One value of a parameter as a test. */
type Reader = (value: string, name: string, options: AuditQueryOptions) => AuditTest;

const DEFAULT_COUNT = 50;
const MAX_COUNT = 1_000;
/** Shape the answer and are the caller's to act on. */
const PRESENTATION = ['_format', '_pretty', '_summary', '_elements'];
/** Sorting is by time; the words for it that FHIR has. */
const SORTS = ['date', '_lastUpdated'];

/** What can be searched by, as the CapabilityStatement lists it. */
export const AUDIT_PARAMETERS: Readonly<Record<string, { readonly type: string; readonly read: Reader }>> = {
  _id: { type: 'token', read: (value) => bySequence(value) },
  _lastUpdated: { type: 'date', read: byTime },
  action: { type: 'token', read: (value) => ({ column: 'action', is: [codeOf(value)[1]] }) },
  address: { type: 'string', read: (value) => ({ column: 'address', startsWith: value }) },
  agent: { type: 'reference', read: (value, _, options) => ({ column: 'actor', is: [localOf(value, options)] }) },
  altid: { type: 'token', read: (value) => byApplication(codeOf(value)[1]) },
  date: { type: 'date', read: byTime },
  entity: { type: 'reference', read: byEntity },
  outcome: { type: 'token', read: (value) => byOutcome(codeOf(value)[1]) },
  patient: {
    type: 'reference',
    read: (value, _, options) => ({ patients: [localOf(value, options).replace(/^Patient\//, '')] }),
  },
  subtype: { type: 'token', read: (value) => testOfSubtype(...codeOf(value)) },
  type: { type: 'token', read: (value) => testOfType(...codeOf(value)) },
};

/** @throws Fault invalid for a parameter or a value that is not understood */
export function parseAuditQuery(pairs: Pairs, options: AuditQueryOptions): AuditQuery {
  const tests: AuditTest[] = [];
  const applied: [string, string][] = [];
  const ignored: string[] = [];
  let [ascending, count, total]: [boolean, number, boolean] = [false, DEFAULT_COUNT, false];
  let after: AuditPosition | undefined;
  for (const [name, value] of pairs) {
    const parameter = Object.hasOwn(AUDIT_PARAMETERS, plainName(name)) ? AUDIT_PARAMETERS[plainName(name)] : undefined;
    let kept = value;
    if (parameter) tests.push(anyOf(value, name, (one) => parameter.read(one, name, options)));
    else if (name === '_sort') ascending = isAscending(value);
    else if (name === '_count') {
      count = countOf(value);
      kept = String(count);
    } else if (name === '_total') total = isTotal(value);
    else if (name === '_cursor') after = positionOf(value);
    else if (!PRESENTATION.includes(name)) {
      if (options.handling === 'strict') throw unknown(name);
      ignored.push(name);
      continue;
    }
    applied.push([name, kept]);
  }
  return { tests, ascending, count, total, after, patients: tests.flatMap(patientsIn), applied, ignored };
}

function patientsIn(test: AuditTest): readonly string[] {
  if ('patients' in test) return test.patients;
  if ('any' in test) return test.any.flatMap(patientsIn);
  return 'all' in test ? test.all.flatMap(patientsIn) : [];
}

/** The cursor of the page after a record. */
export function cursorAfter({ recorded, sequence }: AuditPosition): string {
  return Buffer.from(JSON.stringify([recorded, sequence])).toString('base64url');
}

/** `patient:Patient` and `agent:Practitioner` say the type once more; other modifiers mean something else. */
function plainName(name: string): string {
  return name === 'patient:Patient' ? 'patient' : name;
}

function anyOf(value: string, name: string, read: (one: string) => AuditTest): AuditTest {
  const values = value.split(',').filter((one) => one !== '');
  if (values.length === 0) throw malformed(name, 'It has no value.');
  return { any: values.map(read) };
}

function bySequence(value: string): AuditTest {
  if (!/^[1-9]\d{0,14}$/.test(value)) return { any: [] };
  return { column: 'sequence', from: Number(value), below: Number(value) + 1 };
}

/** https://hl7.org/fhir/R4/search.html#prefix: a record's time is one millisecond. */
function byTime(value: string, name: string): AuditTest {
  const [, prefix = 'eq', text = ''] = /^(eq|ne|gt|lt|ge|le|sa|eb)?(.*)$/.exec(value) ?? [];
  const range = dateRange(text);
  if (!range) throw malformed(name, 'It is a date like 2026-11-24 or ge2026-11-24T08:00:00Z; ap is not offered.');
  const { low, high } = range;
  switch (prefix) {
    case 'ne':
      return { not: { column: 'recorded', from: low, below: high } };
    case 'gt':
    case 'sa':
      return { column: 'recorded', from: high };
    case 'lt':
    case 'eb':
      return { column: 'recorded', below: low };
    case 'ge':
      return { column: 'recorded', from: low };
    case 'le':
      return { column: 'recorded', below: high };
    default:
      return { column: 'recorded', from: low, below: high };
  }
}

/** An application is named in a column of its own when a person uses it, and is the actor otherwise. */
function byApplication(client: string): AuditTest {
  const isActor: AuditTest = {
    all: [
      { column: 'kind', is: ['client'] },
      { column: 'actor', is: [client] },
    ],
  };
  return { any: [{ column: 'client', is: [client] }, isActor] };
}

function byEntity(value: string, name: string, options: AuditQueryOptions): AuditTest {
  const [type, id, , version] = localOf(value, options).split('/');
  if (type === undefined || id === undefined) throw malformed(name, 'It is a reference like Task/12.');
  const resource: AuditTest[] = [
    { column: 'type', is: [type] },
    { column: 'id', is: [id] },
  ];
  if (version !== undefined && /^\d{1,15}$/.test(version)) {
    resource.push({ column: 'version', from: Number(version), below: Number(version) + 1 });
  }
  if (type !== 'Patient' || version !== undefined) return { all: resource };
  return { any: [{ all: resource }, { patients: [id] }] };
}

/** The same bounds as in audit-event.ts. */
function byOutcome(code: string): AuditTest {
  switch (code) {
    case '0':
      return { column: 'status', from: 1, below: 400 };
    case '4':
      return { column: 'status', from: 400, below: 500 };
    case '8':
      return {
        any: [
          { column: 'status', from: 500 },
          { column: 'status', below: 1 },
        ],
      };
    default:
      return { any: [] };
  }
}

function codeOf(token: string): [system: string | undefined, code: string] {
  const bar = token.indexOf('|');
  return bar < 0 ? [undefined, token] : [token.slice(0, bar) || undefined, token.slice(bar + 1)];
}

const localOf = (reference: string, { base }: AuditQueryOptions) =>
  reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;

function isAscending(value: string): boolean {
  const descending = value.startsWith('-');
  const by = descending ? value.slice(1) : value;
  if (SORTS.includes(by)) return !descending;
  throw malformed('_sort', 'AuditEvents are sorted by date, or by -date: the newest first.');
}

function countOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw malformed('_count', 'It is a whole number from 0.');
  return Math.min(Number(value), MAX_COUNT);
}

function isTotal(value: string): boolean {
  if (value === 'accurate' || value === 'estimate') return true;
  if (value === 'none') return false;
  throw malformed('_total', 'It is none, estimate or accurate.');
}

function positionOf(cursor: string): AuditPosition {
  try {
    const [recorded, sequence]: unknown[] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Number.isSafeInteger(recorded) && Number.isSafeInteger(sequence)) {
      return { recorded: Number(recorded), sequence: Number(sequence) };
    }
  } catch {
    // falls through to the same answer
  }
  throw malformed('_cursor', 'It comes from the next link of an earlier page.');
}

function unknown(name: string): Fault {
  const known = [...Object.keys(AUDIT_PARAMETERS), '_sort', '_count', '_total', '_summary', '_elements'].join(', ');
  return new Fault('invalid', `AuditEvents cannot be searched by ${name}; they can by ${known}.`, {
    code: 'not-supported',
  });
}

function malformed(name: string, sentence: string): Fault {
  return new Fault('invalid', `The parameter ${name} cannot be read. ${sentence}`, { code: 'value' });
}

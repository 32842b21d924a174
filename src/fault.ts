// One table for everything that can go wrong: kind of fault -> HTTP status, OperationOutcome code, log level and what a
// remote caller should do about it. Messages are written for people and never carry patient data.
import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';

export type IssueCode = OperationOutcomeIssue['code'];

/** How sync treats a fault: try again, look before trying again, rebase, give up, or renew the authorization. */
export type RetryClass = 'transient' | 'ambiguous' | 'conflict' | 'permanent' | 'auth';

interface FaultRow {
  readonly status: number;
  readonly code: IssueCode;
  readonly log: 'info' | 'warn' | 'error';
  readonly retry: RetryClass;
}

/** https://hl7.org/fhir/R4/http.html and https://hl7.org/fhir/R4/valueset-issue-type.html */
export const FAULTS = {
  invalid: { status: 400, code: 'invalid', log: 'warn', retry: 'permanent' },
  unauthenticated: { status: 401, code: 'login', log: 'warn', retry: 'auth' },
  forbidden: { status: 403, code: 'forbidden', log: 'warn', retry: 'permanent' },
  'not-found': { status: 404, code: 'not-found', log: 'info', retry: 'permanent' },
  'not-allowed': { status: 405, code: 'not-supported', log: 'warn', retry: 'permanent' },
  'not-acceptable': { status: 406, code: 'not-supported', log: 'warn', retry: 'permanent' },
  gone: { status: 410, code: 'deleted', log: 'info', retry: 'permanent' },
  conflict: { status: 409, code: 'conflict', log: 'info', retry: 'conflict' },
  precondition: { status: 412, code: 'conflict', log: 'info', retry: 'conflict' },
  'multiple-matches': { status: 412, code: 'multiple-matches', log: 'info', retry: 'conflict' },
  'too-large': { status: 413, code: 'too-long', log: 'warn', retry: 'permanent' },
  'media-type': { status: 415, code: 'not-supported', log: 'warn', retry: 'permanent' },
  unprocessable: { status: 422, code: 'processing', log: 'warn', retry: 'permanent' },
  'too-many-headers': { status: 431, code: 'too-long', log: 'warn', retry: 'permanent' },
  throttled: { status: 429, code: 'throttled', log: 'warn', retry: 'transient' },
  fault: { status: 500, code: 'exception', log: 'error', retry: 'ambiguous' },
  upstream: { status: 502, code: 'transient', log: 'warn', retry: 'transient' },
  unavailable: { status: 503, code: 'transient', log: 'warn', retry: 'transient' },
  timeout: { status: 504, code: 'timeout', log: 'warn', retry: 'ambiguous' },
} as const satisfies Record<string, FaultRow>;

export type FaultKind = keyof typeof FAULTS;

export interface FaultDetails {
  /** Ready-made issues; when absent one issue is made from kind and message. */
  readonly issues?: OperationOutcomeIssue[];
  /** FHIRPath of the element at fault, e.g. `Task.status`. */
  readonly expression?: string;
  /** Overrides the kind's issue code, e.g. `structure` or `required` for `invalid`. */
  readonly code?: IssueCode;
  readonly cause?: unknown;
  /** Facts for the log: ids, types, counts. Never content. */
  readonly context?: Record<string, string | number | boolean | undefined>;
}

/** Something that went wrong, in terms that every door of Baton can answer with. */
export class Fault extends Error {
  readonly kind: FaultKind;
  readonly issues: OperationOutcomeIssue[];
  readonly context: FaultDetails['context'];

  constructor(kind: FaultKind, message: string, details: FaultDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'Fault';
    this.kind = kind;
    this.context = details.context;
    this.issues = details.issues ?? [
      {
        severity: 'error',
        code: details.code ?? FAULTS[kind].code,
        details: { text: message },
        ...(details.expression ? { expression: [details.expression] } : {}),
      },
    ];
  }

  get status(): number {
    return FAULTS[this.kind].status;
  }
}

/** Anything thrown, as a Fault. What is not one already is a bug, and its message stays out of the answer. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('fault', 'Baton could not complete the request because of an internal error.', { cause: error });
}

/** Where a bug is, without its message: messages of unexpected errors may quote what they choked on. */
export function traceOf(error: unknown): { error: string; at: string } {
  if (!(error instanceof Error)) return { error: typeof error, at: '' };
  return { error: error.name, at: framesOf(error).join('\n') };
}

/** The innermost frames of the stack, which name code only. */
export function framesOf({ stack = '' }: Error): string[] {
  return stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, FRAMES);
}

const FRAMES = 12;

/** The body every failing FHIR interaction answers with. */
export function outcomeOf(fault: Fault): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: fault.issues };
}

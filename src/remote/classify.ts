// What an HTTP status or a broken connection means for the caller: exactly one class each. docs/sync-spec.md#I17
import { FAULTS, type RetryClass } from '../fault.ts';

/** Statuses that mean something else to a client than FAULTS says to a server, or that Baton itself never answers. */
const BY_STATUS: Readonly<Record<number, RetryClass>> = {
  404: 'permanent',
  408: 'ambiguous',
  423: 'transient',
  // Nothing was done, because something else there failed (RFC 4918 section 11.4).
  424: 'transient',
  425: 'transient',
  500: 'ambiguous',
  502: 'ambiguous',
  503: 'transient',
  504: 'ambiguous',
};

const BY_FAULT = new Map<number, RetryClass>(Object.values(FAULTS).map(({ status, retry }) => [status, retry]));

/** Errors that come before the request has left, so that it cannot have had an effect. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * Class of an answer that is not a success.
 * @param safe a read: what may have happened there does not matter, so nothing is ambiguous
 */
export function classifyStatus(status: number, safe: boolean): RetryClass {
  const found = BY_STATUS[status] ?? BY_FAULT.get(status) ?? (status >= 500 ? 'ambiguous' : 'permanent');
  return safe && found === 'ambiguous' ? 'transient' : found;
}

/** Class of a request that got no answer. */
export function classifyError(error: unknown, safe: boolean): RetryClass {
  const code = codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined);
  return safe || (code !== undefined && NEVER_SENT.has(code)) ? 'transient' : 'ambiguous';
}

/** The machine-readable reason of a network error, e.g. `ECONNRESET`; a generic word when it has none. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'time-out';
  return codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined) ?? 'network error';
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

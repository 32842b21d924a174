// Status and issue code of each refusal where a vendor has none of its own.
// https://hl7.org/fhir/R4/http.html and https://hl7.org/fhir/R4/valueset-issue-type.html
import type { Reason, RefusalRow } from './vendor-rules.ts';

export const COMMON_REFUSALS: Readonly<Record<Reason, RefusalRow>> = {
  'unknown-type': { status: 404, code: 'not-supported' },
  'not-offered': { status: 405, code: 'not-supported' },
  'not-found': { status: 404, code: 'not-found' },
  deleted: { status: 410, code: 'deleted' },
  merged: { status: 404, code: 'not-found' },
  'no-parameters': { status: 400, code: 'required' },
  'parameter-missing': { status: 400, code: 'required' },
  'parameter-combination': { status: 400, code: 'invalid' },
  'parameter-value': { status: 400, code: 'value' },
  'parameter-unknown': { status: 400, code: 'not-supported' },
  'page-expired': { status: 410, code: 'not-found' },
  'version-missing': { status: 412, code: 'required' },
  'version-stale': { status: 412, code: 'conflict' },
  'several-match': { status: 412, code: 'multiple-matches' },
  syntax: { status: 400, code: 'structure' },
  'element-missing': { status: 400, code: 'required' },
  'element-refused': { status: 422, code: 'not-supported' },
  'reference-unknown': { status: 400, code: 'not-found' },
  'not-mapped': { status: 400, code: 'business-rule' },
  duplicate: { status: 400, code: 'duplicate' },
  quota: { status: 400, code: 'throttled' },
  tenant: { status: 403, code: 'forbidden' },
  scope: { status: 403, code: 'forbidden' },
  login: { status: 401, code: 'login' },
  format: { status: 406, code: 'not-supported' },
  restricted: { status: 403, code: 'suppressed' },
};

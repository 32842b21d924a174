// What `POST /intake/hl7v2` answers for an acknowledgement, and what it accepts.
import type { AckCode } from './refusal.ts';

/** Content types of one ER7 message; the answer uses the first. */
export const ER7_MEDIA_TYPES = ['x-application/hl7-v2+er7', 'text/plain'] as const;

/** AA 200, AE 422 (the sender may try again), AR 400. */
export function httpStatus(code: AckCode): 200 | 400 | 422 {
  return code === 'AA' ? 200 : code === 'AE' ? 422 : 400;
}

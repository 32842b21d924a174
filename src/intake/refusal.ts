// Why a message is not accepted: an acknowledgement code, an HL7 table 0357 condition and where it is in the message.

/** HL7 table 0357, message error condition codes. 1xx go with AE (error), 2xx with AR (reject). */
export const CONDITIONS = {
  '0': 'Message accepted',
  '100': 'Segment sequence error',
  '101': 'Required field missing',
  '102': 'Data type error',
  '103': 'Table value not found',
  '200': 'Unsupported message type',
  '201': 'Unsupported event code',
  '202': 'Unsupported processing id',
  '203': 'Unsupported version id',
  '204': 'Unknown key identifier',
  '205': 'Duplicate key identifier',
  '207': 'Application error',
} as const;

export type ConditionCode = keyof typeof CONDITIONS;

/** HL7 table 0008: accepted, error (may be sent again), rejected (will never be accepted as it is). */
export type AckCode = 'AA' | 'AE' | 'AR';

/** What has become of a message. CA, commit accept: it is in safe storage, and still to be applied. */
export type Outcome = AckCode | 'CA';

/** One ERR segment. The text reaches people and logs, so it never quotes what the message says about a patient. */
export interface Remark {
  readonly condition: ConditionCode;
  readonly severity: 'E' | 'W' | 'I';
  /** ERR-2: segment^occurrence^field^repetition^component. */
  readonly location?: string;
  readonly text: string;
}

/** Thrown anywhere inside intake to stop the message; answered as AE or AR with one ERR segment. */
export class Refusal extends Error {
  readonly code: 'AE' | 'AR';
  readonly remark: Remark;

  constructor(code: 'AE' | 'AR', condition: ConditionCode, text: string, location?: string) {
    super(text);
    this.name = 'Refusal';
    this.code = code;
    this.remark = { condition, severity: 'E', text, location };
  }
}

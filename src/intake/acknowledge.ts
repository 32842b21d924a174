// The acknowledgement of a message: MSH, MSA and one ERR per remark, in the separators of the message it answers.
import { Hl7Context } from '@medplum/core';
import { escapeText } from './er7/escape.ts';
import type { Message } from './er7/message.ts';
import { type AckCode, CONDITIONS, type Remark } from './refusal.ts';

export interface Acknowledgement {
  readonly code: AckCode;
  readonly remarks: readonly Remark[];
  /** MSH-7. */
  readonly now: Temporal.Instant;
  /** MSH-10, at most 20 characters. */
  readonly controlId: string;
}

/**
 * ER7 text, every segment ended by CR.
 * @param message what is answered; undefined when it could not be parsed, then nothing is echoed
 */
export function acknowledge(message: Message | undefined, ack: Acknowledgement): string {
  const context = message?.context ?? new Hl7Context();
  const raw = (field: number) => message?.rawHeader(field) ?? '';
  const trigger = message?.header.first(9).get(2) ?? '';
  const version = message?.header.text(12) || '2.5.1';
  const { componentSeparator: part } = context;
  const join = (fields: readonly string[]) => fields.join(context.fieldSeparator);
  const header = [
    'MSH',
    context.componentSeparator +
      context.repetitionSeparator +
      context.escapeCharacter +
      context.subcomponentSeparator +
      truncationCharacter(message),
    ...[raw(5), raw(6), raw(3), raw(4)],
    stamp(ack.now),
    '',
    trigger ? ['ACK', trigger, 'ACK'].join(part) : 'ACK',
    ack.controlId,
    raw(11) || 'P',
    raw(12) || version,
    ...['', '', '', '', '', 'UNICODE UTF-8'],
  ];
  // MSA-3 was withdrawn when ERR got its text field in 2.5.
  const text = /^2\.[34]/.test(version) ? [escapeText(ack.remarks[0]?.text ?? '', context)] : [];
  const acknowledged = ['MSA', ack.code, raw(10), ...text];
  const errors = ack.remarks.map((remark) => [
    'ERR',
    '',
    (remark.location ?? '').replaceAll('^', part),
    [remark.condition, CONDITIONS[remark.condition], 'HL70357'].join(part),
    remark.severity,
    ...['', '', ''],
    escapeText(remark.text, context),
  ]);
  return `${[header, acknowledged, ...errors].map(join).join('\r')}\r`;
}

/** MSH-2 of 2.7 and later may carry a fifth character, which the answer repeats. */
function truncationCharacter(message: Message | undefined): string {
  return message?.canonical.slice(4).split(message.context.fieldSeparator, 1)[0]?.charAt(4) ?? '';
}

function stamp(now: Temporal.Instant): string {
  const digits = now.toString({ fractionalSecondDigits: 3 }).replace(/[-:TZ]/g, '');
  return `${digits}+0000`;
}

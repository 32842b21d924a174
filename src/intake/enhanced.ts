// Enhanced mode: a commit acknowledgement as MSH-15 asks, as soon as the message is in safe storage; the application's as
// MSH-16 does, when it is applied. HL7 v2.9 chapter 2, "Enhanced acknowledgment rules", table 0155.
import type { AcceptedReceipt } from './accept.ts';
import type { Applied, Awaited } from './awaited.ts';
import type { Message } from './er7/message.ts';
import type { AckCode } from './refusal.ts';
import type { Receipt } from './take-in.ts';

/** A message that asks for neither is one of original mode. */
export function isEnhanced(message: Message): boolean {
  return message.header.text(15) !== '' || message.header.text(16) !== '';
}

/**
 * CA, CE or CR, when the sender wants it.
 * @param ack the acknowledgement of original mode
 */
export function commitAnswer(message: Message, code: AckCode, ack: string): string[] {
  const separator = message.context.fieldSeparator;
  const commit = ack.replace(`MSA${separator}${code}`, `MSA${separator}C${code.charAt(1)}`);
  return isWanted(message.header.text(15), code) ? [commit] : [];
}

/** The answers to a message that is in safe storage, or was before: applied, to be applied, or (AR) not as it is. */
export function enhancedReceipt(
  { header, key, code, ack, accepted }: AcceptedReceipt,
  awaited: Pick<Awaited, 'expect'>,
): Receipt {
  const answers = commitAnswer(header, code, ack);
  // What is not committed is not processed: there is nothing more to say about it.
  if (code !== 'AA') return { code, ack, answers };
  if (!accepted) return { code, ack, answers: [...answers, ...applicationAnswer(header, { code, ack })] };
  if (!['AL', 'ER', 'SU'].includes(header.header.text(16))) return { code, ack, answers };
  const { applied, forget } = awaited.expect(key);
  const answer = applied.then((result) => result && applicationAnswer(header, result)[0]);
  return { code, ack, answers, later: { answer, forget } };
}

/** AA, AE or AR, when the sender wants it. */
function applicationAnswer(message: Message, { code, ack }: Applied): string[] {
  return isWanted(message.header.text(16), code) ? [ack] : [];
}

function isWanted(condition: string, code: AckCode): boolean {
  return condition === 'AL' || condition === (code === 'AA' ? 'SU' : 'ER');
}

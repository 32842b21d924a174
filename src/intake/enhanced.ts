// Which acknowledgements go back in enhanced mode: a commit acknowledgement as MSH-15 asks, then the application's as MSH-16
// does. HL7 v2.9 chapter 2, "Enhanced acknowledgment rules", table 0155.
import type { Message } from './er7/message.ts';
import type { AckCode } from './refusal.ts';

/** @param ack the acknowledgement of original mode */
export function enhancedAnswers(message: Message, code: AckCode, ack: string): string[] {
  const separator = message.context.fieldSeparator;
  const commit = ack.replace(`MSA${separator}${code}`, `MSA${separator}C${code.charAt(1)}`);
  const accepted = code === 'AA';
  return [
    ...(isWanted(message.header.text(15), accepted) ? [commit] : []),
    // What was not committed is not processed, so that there is nothing more to say about it.
    ...(accepted && isWanted(message.header.text(16), accepted) ? [ack] : []),
  ];
}

function isWanted(condition: string, accepted: boolean): boolean {
  return condition === 'AL' || (condition === 'SU' && accepted) || (condition === 'ER' && !accepted);
}

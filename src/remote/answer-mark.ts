// Recognises an answer that says what the last one said, before any of it is parsed: by the server's own word (304) or by
// the text of its entries.
import { createHash } from 'node:crypto';
import type { HttpReply } from './client.ts';

/** What is kept of an answer to recognise it by. */
export interface AnswerMark {
  /** As the server gave it; sent back as If-None-Match. */
  readonly etag?: string | undefined;
  /** SHA-256, hex. */
  readonly digest: string;
}

export function markOf({ headers, text }: HttpReply): AnswerMark {
  const etag = headers.get('etag') ?? undefined;
  // Before the entries stand id, time and own address of the Bundle, which servers make anew for each answer. That there
  // is another page must not be among what is left out.
  const start = Math.max(0, text.indexOf('"entry"'));
  const more = text.slice(0, start).includes('"next"') ? 'more' : 'all';
  const digest = createHash('sha256').update(more).update(text.slice(start)).digest('hex');
  return { digest, ...(etag === undefined ? {} : { etag }) };
}

export function saysTheSame(reply: HttpReply, known: Partial<AnswerMark>): boolean {
  if (reply.status === 304) return known.etag !== undefined;
  return reply.status === 200 && known.digest !== undefined && markOf(reply).digest === known.digest;
}

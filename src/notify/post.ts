// One message to one address: within a time, redirects not followed (they could lead anywhere), and nothing of what was sent
// in what is said when it fails.

export interface Sent {
  readonly method: 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** Aborted when this process ends. */
  readonly ending?: AbortSignal;
}

/** The other side has not taken a message; what it says is a sentence without what was sent. */
export class NotTaken extends Error {
  readonly why: 'refused' | 'unreached' | 'interrupted' | 'timeout';

  /** @param why 'unreached' when nothing of the message can have arrived; otherwise all of it may have */
  constructor(sentence: string, why: NotTaken['why'], cause?: unknown) {
    super(sentence, { cause });
    this.name = 'NotTaken';
    this.why = why;
  }
}

/**
 * Resolves when the other side has taken it.
 * @param who begins the sentence when it has not: `The webhook`
 * @throws NotTaken
 */
export async function post(fetch: typeof globalThis.fetch, who: string, message: Sent): Promise<void> {
  const { url, timeoutMs, ending, ...init } = message;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = ending ? AbortSignal.any([timeout, ending]) : timeout;
  const status = await answerOf(fetch, who, url, { ...init, redirect: 'manual', signal });
  if (status < 200 || status >= 300) throw new NotTaken(`${who} answered ${status}.`, 'refused');
}

async function answerOf(fetch: typeof globalThis.fetch, who: string, url: string, init: RequestInit): Promise<number> {
  try {
    const answer = await fetch(url, init);
    await answer.body?.cancel();
    return answer.status;
  } catch (cause) {
    const code = codeOf(cause);
    throw new NotTaken(`${who} could not be reached (${code}).`, whyOf(code), cause);
  }
}

/** Names and codes only: messages of errors may quote what was sent. */
function codeOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  return cause?.code ?? name ?? 'unknown';
}

/** Before anything is sent there is a name to be found, a connection to be made, and a certificate to be believed. */
const NOTHING_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_.*|ERR_TLS_CERT_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)$/;

function whyOf(code: string): NotTaken['why'] {
  if (NOTHING_SENT.test(code)) return 'unreached';
  return code === 'TimeoutError' ? 'timeout' : 'interrupted';
}

const LONGEST_PAUSE_MINUTES = 60;

/** 1, 2, 4… minutes, an hour at most. @param failures in a row before this one */
export function minutesAfter(failures: number): number {
  return Math.min(2 ** failures, LONGEST_PAUSE_MINUTES);
}

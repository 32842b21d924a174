// One message to one address: within a time, redirects not followed (they could lead anywhere), and nothing of what was sent
// in what is said when it fails.

export interface Sent {
  readonly method: 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

/**
 * Resolves when the other side has taken it.
 * @param who begins the sentence when it has not: `The webhook`
 * @throws Error whose message is a sentence without what was sent
 */
export async function post(fetch: typeof globalThis.fetch, who: string, message: Sent): Promise<void> {
  const { url, timeoutMs, ...init } = message;
  const status = await answerOf(fetch, who, url, {
    ...init,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (status < 200 || status >= 300) throw new Error(`${who} answered ${status}.`);
}

async function answerOf(fetch: typeof globalThis.fetch, who: string, url: string, init: RequestInit): Promise<number> {
  try {
    const answer = await fetch(url, init);
    await answer.body?.cancel();
    return answer.status;
  } catch (cause) {
    throw new Error(`${who} could not be reached (${codeOf(cause)}).`, { cause });
  }
}

/** Names and codes only: messages of errors may quote what was sent. */
function codeOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  return cause?.code ?? name ?? 'unknown';
}

const LONGEST_PAUSE_MINUTES = 60;

/** 1, 2, 4… minutes, an hour at most. @param failures in a row before this one */
export function minutesAfter(failures: number): number {
  return Math.min(2 ** failures, LONGEST_PAUSE_MINUTES);
}

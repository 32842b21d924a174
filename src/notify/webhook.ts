// Notices by webhook, signed as Standard Webhooks asks (https://www.standardwebhooks.com): who has the secret knows that they
// are from here, and `webhook-id` tells one that comes again. Redirects are not followed: they could lead anywhere.
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../clock.ts';
import type { Send } from './parts.ts';
import type { WebhookSettings } from './settings.ts';

const TIMEOUT_MS = 10_000;

export function webhookSender({ url, secret }: WebhookSettings, clock: Clock, fetch: typeof globalThis.fetch): Send {
  const webhook = new Webhook(secret);
  return async ({ id, notices }) => {
    const now = clock.real();
    const type = notices.length === 1 ? (notices[0]?.reason ?? 'other') : 'digest';
    const body = JSON.stringify({ type, timestamp: now.toString({ smallestUnit: 'second' }), data: { notices } });
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.epochMilliseconds / 1000)),
      'webhook-signature': webhook.sign(id, new Date(now.epochMilliseconds), body),
    };
    const status = await post(fetch, url, headers, body);
    if (status < 200 || status >= 300) throw new Error(`The webhook answered ${status}.`);
  };
}

async function post(fetch: typeof globalThis.fetch, url: string, headers: Record<string, string>, body: string) {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await answer.body?.cancel();
    return answer.status;
  } catch (cause) {
    throw new Error(`The webhook could not be reached (${codeOf(cause)}).`, { cause });
  }
}

/** Names and codes only: messages of errors may quote what was sent. */
function codeOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  return cause?.code ?? name ?? 'unknown';
}

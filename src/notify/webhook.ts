// Messages by webhook, signed as Standard Webhooks asks (https://www.standardwebhooks.com): who has the secret knows that they
// are from here, and `webhook-id` tells one that comes again.
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../clock.ts';
import type { Send } from './parts.ts';
import { post } from './post.ts';
import type { WebhookSettings } from './settings.ts';

const TIMEOUT_MS = 10_000;

export function webhookSender({ url, secret }: WebhookSettings, clock: Clock, fetch: typeof globalThis.fetch): Send {
  const webhook = new Webhook(secret);
  return async ({ id, type, data }) => {
    const now = clock.real();
    const body = JSON.stringify({ type, timestamp: now.toString({ smallestUnit: 'second' }), data });
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.epochMilliseconds / 1000)),
      'webhook-signature': webhook.sign(id, new Date(now.epochMilliseconds), body),
    };
    await post(fetch, 'The webhook', { method: 'POST', url, headers, body, timeoutMs: TIMEOUT_MS });
  };
}

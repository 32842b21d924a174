// Requests for credentials as exchanges of whoever needed the credential: when, where, with what status, and nothing of what
// was said, because that is the secret itself. docs/sync-spec.md#I22
import type { Clock } from '../clock.ts';
import type { Authorization } from './authorization.ts';
import { classifyStatus } from './classify.ts';
import type { HttpRequest, Send } from './client.ts';
import type { Exchange } from './fhir-client.ts';

export interface TokenExchanges {
  /** What the authorization is to send with. */
  readonly send: Send;
  /** The authorization as one session sees it: what it asks for on the way goes to that session's log. */
  toldTo(authorization: Authorization, onExchange: (exchange: Exchange) => void): Authorization;
}

export function tokenExchanges(send: Send, clock: Clock): TokenExchanges {
  // One request may serve several sessions that wait for it; the last one to ask tells of it.
  let listener: ((exchange: Exchange) => void) | undefined;
  return {
    async send(request) {
      const started = clock.real();
      const reply = await send(request);
      const durationMs = Math.round(started.until(clock.real()).total('milliseconds'));
      const status = reply.ok ? reply.value.status : undefined;
      listener?.({
        ...{ kind: 'token', method: request.method, url: withoutQuery(request), durationMs },
        ...(status === undefined ? {} : { status }),
        ...(status !== undefined && status >= 400 ? { failure: refusal(status) } : {}),
        ...(reply.ok ? {} : { failure: reply.failure }),
      });
      return reply;
    },
    toldTo: (authorization, onExchange) => ({
      ...authorization,
      header() {
        listener = onExchange;
        return authorization.header();
      },
    }),
  };
}

function refusal(status: number): NonNullable<Exchange['failure']> {
  const kind = classifyStatus(status, true);
  return { class: kind === 'transient' ? kind : 'auth', message: `Answered ${status}.`, status };
}

const withoutQuery = ({ url }: HttpRequest) => url.split('?')[0] ?? url;

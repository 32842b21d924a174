// Access tokens from a token endpoint: found, bought with whatever proves who asks, and kept until shortly before they end.
// https://www.rfc-editor.org/rfc/rfc6749#section-4.4
import type { Clock } from '../clock.ts';
import { type AssertionAlgorithm, type Authorization, unusable } from './authorization.ts';
import { classifyStatus } from './classify.ts';
import type { HttpReply, Send } from './client.ts';
import { failure, type Result, success } from './result.ts';

export interface Token {
  readonly value: string;
  /** Epoch milliseconds of the machine's clock after which it is not used any more. */
  readonly until: number;
}

export interface Endpoint {
  readonly url: string;
  /** What the server says it verifies; empty when it does not say. */
  readonly algorithms: readonly AssertionAlgorithm[];
}

const DEFAULT_LIFETIME_SECONDS = 300;

/** Keeps what `buy` brings until it ends or is refused. */
export function boughtToken(clock: Clock, buy: () => Promise<Result<Token>>): Authorization {
  let token: Token | undefined;
  let asking: Promise<Result<Token>> | undefined;
  return {
    async header() {
      if (!token || clock.real().epochMilliseconds >= token.until) {
        // Everybody who needs a token meanwhile waits for the same one.
        asking ??= buy().finally(() => {
          asking = undefined;
        });
        const fresh = await asking;
        if (!fresh.ok) return fresh;
        token = fresh.value;
      }
      return success(`Bearer ${token.value}`);
    },
    renew() {
      token = undefined;
      return true;
    },
  };
}

/**
 * The endpoint that is configured, else the one that the SMART configuration names.
 * https://hl7.org/fhir/smart-app-launch/conformance.html
 */
export async function findEndpoint(send: Send, baseUrl: string, configured?: string): Promise<Result<Endpoint>> {
  if (configured !== undefined) return success({ url: configured, algorithms: [] });
  const url = `${baseUrl}/.well-known/smart-configuration`;
  const reply = await send({ method: 'GET', url, headers: { accept: 'application/json' } });
  if (!reply.ok) return reply;
  const { token_endpoint: endpoint, token_endpoint_auth_signing_alg_values_supported: listed } = readObject(
    reply.value,
  );
  if (reply.value.status === 200 && typeof endpoint === 'string' && URL.canParse(endpoint)) {
    const algorithms = (['ES384', 'RS384'] as const).filter((name) => Array.isArray(listed) && listed.includes(name));
    return success({ url: endpoint, algorithms });
  }
  if (reply.value.status >= 500)
    return failure({ class: 'transient', message: 'The SMART configuration is unavailable.' });
  return unusable('The server has no SMART configuration with a token endpoint; set auth.tokenUrl.');
}

/** @param headers beyond those of every token request */
export async function requestToken(
  { send, clock }: { readonly send: Send; readonly clock: Clock },
  url: string,
  form: URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): Promise<Result<Token>> {
  const reply = await send({
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: form.toString(),
    safe: true,
  });
  if (!reply.ok) return reply;
  const answer = readObject(reply.value);
  if (reply.value.status !== 200) return tokenRefused(reply.value, answer);
  if (typeof answer.access_token !== 'string' || answer.access_token === '') {
    return unusable('The token endpoint answered without a token.');
  }
  const lifetime = typeof answer.expires_in === 'number' ? answer.expires_in : DEFAULT_LIFETIME_SECONDS;
  const margin = Math.min(60, lifetime / 10);
  const until = clock.real().epochMilliseconds + (lifetime - margin) * 1000;
  return success({ value: answer.access_token, until });
}

function tokenRefused(reply: HttpReply, answer: Record<string, unknown>): Result<never> {
  const kind = classifyStatus(reply.status, true);
  const error =
    typeof answer.error === 'string' && /^[\w-]{1,40}$/.test(answer.error) ? answer.error : 'no reason given';
  const message = `The token endpoint answered ${reply.status} (${error}).`;
  return failure({ class: kind === 'transient' ? 'transient' : 'auth', message, status: reply.status });
}

function readObject(reply: HttpReply): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(reply.text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

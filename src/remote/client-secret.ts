// OAuth client credentials with a shared secret, in the header or in the form.
// https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
import { type Authorization, type AuthorizationOptions, type SettingsOf, trySecret } from './authorization.ts';
import type { Result } from './result.ts';
import { boughtToken, findEndpoint, requestToken, type Token } from './token-endpoint.ts';

type Options = AuthorizationOptions<SettingsOf<'client-secret'>>;

export function clientSecret(options: Options): Authorization {
  return boughtToken(options.clock, () => buy(options));
}

async function buy(options: Options): Promise<Result<Token>> {
  const { settings, send, baseUrl, readSecret } = options;
  const secret = trySecret(readSecret, settings.secret);
  if (!secret.ok) return secret;
  const endpoint = await findEndpoint(send, baseUrl, settings.tokenUrl);
  if (!endpoint.ok) return endpoint;
  const { clientId, scope, method } = settings;
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
  if (method === 'client_secret_basic') {
    const pair = `${formEncoded(clientId)}:${formEncoded(secret.value)}`;
    const headers = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
    return requestToken(options, endpoint.value.url, form, headers);
  }
  form.set('client_id', clientId);
  form.set('client_secret', secret.value);
  return requestToken(options, endpoint.value.url, form);
}

/** Both parts are form-encoded before they are joined, so that a colon or an umlaut in one of them survives. */
const formEncoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);

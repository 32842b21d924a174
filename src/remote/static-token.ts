// A bearer token that was handed out by other means. https://www.rfc-editor.org/rfc/rfc6750#section-2.1
import { type Authorization, type AuthorizationOptions, type SettingsOf, trySecret } from './authorization.ts';
import { success } from './result.ts';

export function staticToken({ settings, readSecret }: AuthorizationOptions<SettingsOf<'token'>>): Authorization {
  let token: string | undefined;
  return {
    async header() {
      if (token === undefined) {
        const read = trySecret(readSecret, settings.token);
        if (!read.ok) return read;
        token = read.value;
      }
      return success(`Bearer ${token}`);
    },
    /** Reads it again: it may have been replaced since. */
    renew() {
      const refused = token;
      token = undefined;
      const read = trySecret(readSecret, settings.token);
      return read.ok && read.value !== refused;
    },
  };
}

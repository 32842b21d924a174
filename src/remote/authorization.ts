// How a request to a remote proves who sends it.
import type { Clock } from '../clock.ts';
import type { Send } from './client.ts';
import { type Result, success } from './result.ts';

export interface Authorization {
  /** Value of the Authorization header; undefined when none is needed. */
  header(): Promise<Result<string | undefined>>;
  /** Throws away a credential that was refused. False when another try would send the same one. */
  renew(): boolean;
}

export type AuthorizationSettings =
  | { readonly type: 'none' }
  | {
      readonly type: 'smart-backend';
      /** Asked for at `.well-known/smart-configuration` of the base URL when absent. */
      readonly tokenUrl?: string;
      readonly clientId: string;
      readonly scope: string;
    };

/** Private signing key as a JWK with `kid`; `alg` is ES384 or RS384. */
export type SigningKey = Readonly<Record<string, unknown>> & { readonly kid: string; readonly alg: 'ES384' | 'RS384' };

export interface AuthorizationOptions {
  readonly settings: AuthorizationSettings;
  readonly baseUrl: string;
  /** Needed for smart-backend. */
  readonly key: SigningKey | undefined;
  readonly send: Send;
  readonly clock: Clock;
}

/** For servers that ask for nothing. */
export const NO_AUTHORIZATION: Authorization = { header: async () => success(undefined), renew: () => false };

// How a request to a remote proves who sends it.
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import type { Send } from './client.ts';
import type { NamedSecret, ReadSecret } from './named-secret.ts';
import { failure, type Result, success } from './result.ts';

export interface Authorization {
  /** Value of the Authorization header; undefined when none is needed. */
  header(): Promise<Result<string | undefined>>;
  /** Throws away a credential that was refused. False when another try would send the same one. */
  renew(): boolean;
}

/** Algorithm of a client assertion; both keys are in `/.well-known/jwks.json`. */
export type AssertionAlgorithm = 'ES384' | 'RS384';

interface TokenSettings {
  /** Asked for at `.well-known/smart-configuration` of the base URL when absent. */
  readonly tokenUrl?: string;
  readonly clientId: string;
}

export type AuthorizationSettings =
  | { readonly type: 'none' }
  | (TokenSettings & {
      readonly type: 'smart-backend';
      readonly scope: string;
      /** Absent: what the server's SMART configuration lists, ES384 before RS384. */
      readonly algorithm?: AssertionAlgorithm;
    })
  | (TokenSettings & {
      readonly type: 'client-secret';
      readonly scope?: string;
      /** Whether the secret goes into the Authorization header or into the form. */
      readonly method: 'client_secret_basic' | 'client_secret_post';
      readonly secret: NamedSecret;
    })
  | { readonly type: 'token'; readonly token: NamedSecret };

/** Private signing key as a JWK with `kid`; `alg` is ES384 or RS384. */
export type SigningKey = Readonly<Record<string, unknown>> & { readonly kid: string; readonly alg: AssertionAlgorithm };

export type SigningKeys = Readonly<Partial<Record<AssertionAlgorithm, SigningKey>>>;

export interface AuthorizationOptions<Settings extends AuthorizationSettings = AuthorizationSettings> {
  readonly settings: Settings;
  readonly baseUrl: string;
  /** Needed for smart-backend. */
  readonly keys: SigningKeys;
  readonly readSecret: ReadSecret;
  readonly send: Send;
  readonly clock: Clock;
}

export type SettingsOf<Type extends AuthorizationSettings['type']> = Extract<AuthorizationSettings, { type: Type }>;

/** For servers that ask for nothing. */
export const NO_AUTHORIZATION: Authorization = { header: async () => success(undefined), renew: () => false };

/** A credential that cannot be used as things are: only a person can change that. */
export function unusable(message: string): Result<never> {
  return failure({ class: 'auth', message });
}

/** The secret, or why there is none. */
export function trySecret(readSecret: ReadSecret, secret: NamedSecret): Result<string> {
  try {
    return success(readSecret(secret));
  } catch (error) {
    return unusable((error as Error).message);
  }
}

/** For where nothing reads secrets. */
export const NO_SECRETS: ReadSecret = () => {
  throw new Fault('unavailable', 'There are no secrets here that a connection could name.');
};

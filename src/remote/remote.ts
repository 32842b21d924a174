// One external FHIR server with all that Baton knows of it: its pace, its health, its credential, its abilities.
import type { CapabilityStatement } from '@medplum/fhirtypes';
import type { Clock } from '../clock.ts';
import { type AuthorizationSettings, NO_AUTHORIZATION, type SigningKey } from './authorization.ts';
import { backendServices } from './backend-services.ts';
import { type Breaker, type BreakerStatus, createBreaker } from './breaker.ts';
import { type Capability, readCapability } from './capability.ts';
import { createSend } from './client.ts';
import { createFhirClient, type Exchange, type FhirClient } from './fhir-client.ts';
import { createPacing } from './pacing.ts';
import { failure, type Result, success } from './result.ts';
import type { Vendor } from './vendors/vendor.ts';
import { VENDORS, type VendorName } from './vendors/vendors.ts';

export interface RemoteSettings {
  readonly baseUrl: string;
  readonly vendor: VendorName;
  readonly auth: AuthorizationSettings;
  /** Instead of the vendor's bounds. */
  readonly pacing?: { readonly requestsPerSecond?: number; readonly concurrency?: number };
}

export interface RemoteOptions {
  readonly settings: RemoteSettings;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  readonly key?: SigningKey | undefined;
  /** For each exchange; 30 s when absent. */
  readonly timeout?: Temporal.Duration;
  readonly onBreaker: (status: BreakerStatus) => void;
  /** Told of every exchange, whoever it is for. */
  readonly onExchange?: (exchange: Exchange) => void;
  /** Told when the server lost or gained an ability that Baton relies on. */
  readonly onCapabilityChange?: (hash: string) => void;
  readonly random?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

export interface Remote {
  readonly baseUrl: string;
  readonly vendor: Vendor;
  readonly breaker: Breaker;
  /** A client whose exchanges go to one run's log. */
  session(onExchange: (exchange: Exchange) => void): FhirClient;
  /** As stated by the server, asked at most once a day. */
  capability(client: FhirClient): Promise<Result<Capability>>;
  /** Whether the server may be asked now; tries a server that was left alone long enough with one harmless read. */
  available(client: FhirClient): Promise<boolean>;
}

const CAPABILITY_LIFETIME = 24 * 60 * 60_000;

export function createRemote(options: RemoteOptions): Remote {
  const { settings, clock } = options;
  const baseUrl = settings.baseUrl.replace(/\/+$/, '');
  const vendor = VENDORS[settings.vendor];
  const now = () => clock.real().epochMilliseconds;
  const send = createSend({ fetch: options.fetch, ...(options.timeout ? { timeout: options.timeout } : {}) });
  const breaker = createBreaker(now, options.onBreaker);
  const wait = options.wait ?? ((milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  const bounds = { ...vendor, ...settings.pacing };
  const pacing = createPacing({ ...bounds, now, wait });
  const { auth } = settings;
  const { key } = options;
  const authorization =
    auth.type === 'none' ? NO_AUTHORIZATION : backendServices({ settings: auth, baseUrl, key, send, clock });
  let known: { readonly capability: Capability; readonly until: number } | undefined;

  async function ask(client: FhirClient): Promise<Result<Capability>> {
    const reply = await client.capability();
    if (!reply.ok) return reply;
    const { body } = reply.value;
    if (body?.resourceType !== 'CapabilityStatement') {
      return failure({ class: 'permanent', message: 'The server has no CapabilityStatement.' });
    }
    const capability = readCapability(body satisfies CapabilityStatement, vendor);
    if (known && known.capability.hash !== capability.hash) options.onCapabilityChange?.(capability.hash);
    known = { capability, until: now() + CAPABILITY_LIFETIME };
    return success(capability);
  }

  return {
    baseUrl,
    vendor,
    breaker,
    session: (onExchange) =>
      createFhirClient({
        baseUrl,
        send,
        authorization,
        breaker,
        pacing,
        clock,
        onExchange: (exchange) => {
          options.onExchange?.(exchange);
          onExchange(exchange);
        },
        wait,
        ...(options.random ? { random: options.random } : {}),
      }),
    capability: async (client) => (known && now() < known.until ? success(known.capability) : ask(client)),
    async available(client) {
      const admitted = breaker.admit();
      if (admitted === 'probe') await ask(client);
      return admitted === 'yes' || breaker.status.state === 'closed';
    },
  };
}

// One external FHIR server with all that Baton knows of it: its pace, its health, its credential, its abilities.
import type { CapabilityStatement } from '@medplum/fhirtypes';
import type { Clock } from '../clock.ts';
import { parseHttpDate } from '../fhir/http-date.ts';
import { saysNotOffered, speaksAgainstStatement } from './absence.ts';
import { type Authorization, type AuthorizationSettings, NO_SECRETS, type SigningKeys } from './authorization.ts';
import { authorize } from './authorize.ts';
import { type Breaker, type BreakerStatus, createBreaker } from './breaker.ts';
import { type BulkClient, createBulkClient } from './bulk-client.ts';
import { type Capability, readCapability } from './capability.ts';
import { createSend, type Send } from './client.ts';
import { certifiedFetch, type TlsSettings } from './client-certificate.ts';
import { createDownload } from './download.ts';
import { createFhirClient, type Exchange, type FhirClient } from './fhir-client.ts';
import type { ReadSecret } from './named-secret.ts';
import { createPacing } from './pacing.ts';
import { failure, type Result, success } from './result.ts';
import { tokenExchanges } from './token-exchanges.ts';
import type { Vendor } from './vendors/vendor.ts';
import { VENDORS, type VendorName } from './vendors/vendors.ts';

export interface RemoteSettings {
  readonly baseUrl: string;
  readonly vendor: VendorName;
  readonly auth: AuthorizationSettings;
  /** Certificates for https; goes with every `auth`. */
  readonly tls?: TlsSettings;
  /** Instead of the vendor's bounds. */
  readonly pacing?: { readonly requestsPerSecond?: number; readonly concurrency?: number };
}

export interface RemoteOptions {
  readonly settings: RemoteSettings;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  readonly keys?: SigningKeys | undefined;
  /** Needed by settings that name a secret. */
  readonly readSecret?: ReadSecret | undefined;
  /** For each exchange; 30 s when absent. */
  readonly timeout?: Temporal.Duration;
  readonly onBreaker: (status: BreakerStatus) => void;
  /** Told of every exchange, whoever it is for. */
  readonly onExchange?: (exchange: Exchange) => void;
  readonly random?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

export interface Remote {
  readonly baseUrl: string;
  readonly vendor: Vendor;
  readonly breaker: Breaker;
  /** Most requests at a time, and in a second: as the connection says, or the vendor. */
  readonly concurrency: number;
  readonly requestsPerSecond: number;
  readonly authorization: Authorization;
  /** Outside the breaker, the pace and the log: for looking at the server itself. */
  readonly send: Send;
  /** A client whose exchanges go to one run's log. */
  session(onExchange: (exchange: Exchange) => void): FhirClient;
  /** The same for bulk export. */
  bulk(onExchange: (exchange: Exchange) => void): BulkClient;
  /** As stated by the server, asked once a day, and sooner after it has refused what it states. */
  capability(client: FhirClient): Promise<Result<Capability>>;
  /** Whether the server may be asked now; tries a server that was left alone long enough with one harmless read. */
  available(client: FhirClient): Promise<boolean>;
  /** How far the server's clock was ahead of the one that our versions are dated by, at its last answer, seconds; undefined before any answer told. */
  skew(): number | undefined;
  /** Lets go of the network. */
  close(): Promise<void>;
}

const CAPABILITY_LIFETIME = 24 * 60 * 60_000;
/** As long as it is believed against the server's own answers, which some give for single resources. */
const CAPABILITY_BELIEVED = 10 * 60_000;

export function createRemote(options: RemoteOptions): Remote {
  const { settings, clock } = options;
  const baseUrl = settings.baseUrl.replace(/\/+$/, '');
  const vendor = VENDORS[settings.vendor];
  const now = () => clock.real().epochMilliseconds;
  const { keys = {}, readSecret = NO_SECRETS } = options;
  const certified = settings.tls && certifiedFetch(settings.tls, readSecret, now);
  const { fetch } = certified ?? options;
  let ahead: number | undefined;
  const sending = createSend({ fetch, ...(options.timeout ? { timeout: options.timeout } : {}) });
  const send: Send = async (request) => {
    const reply = await sending(request);
    const date = reply.ok ? parseHttpDate(reply.value.headers.get('date') ?? '') : undefined;
    if (date) ahead = Math.round((date.epochMilliseconds - clock.now().epochMilliseconds) / 1000);
    return reply;
  };
  const download = createDownload(fetch, () => clock.real());
  const breaker = createBreaker(now, options.onBreaker);
  const wait = options.wait ?? ((milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  const bounds = { ...vendor, ...settings.pacing };
  const pacing = createPacing({ ...bounds, now, wait });
  const tokens = tokenExchanges(send, clock);
  const authorization = authorize({ settings: settings.auth, baseUrl, keys, readSecret, send: tokens.send, clock });
  let known: { readonly capability: Capability; readonly at: number } | undefined;
  let asking: Promise<Result<Capability>> | undefined;
  let doubtedAt = Number.NEGATIVE_INFINITY;

  async function ask(client: FhirClient): Promise<Result<Capability>> {
    const reply = await client.capability();
    if (!reply.ok) return reply;
    const { body } = reply.value;
    if (body?.resourceType !== 'CapabilityStatement') {
      return failure({ class: 'permanent', message: 'The server has no CapabilityStatement.' });
    }
    const capability = readCapability(body satisfies CapabilityStatement, vendor);
    known = { capability, at: now() };
    return success(capability);
  }

  /** An answer that says outright that there is no such thing is heard at once, but not each time. docs/sync-spec.md#I29 */
  function doubtAfter({ kind, failure: failed }: Exchange): void {
    if (kind !== undefined || !failed || !known || !speaksAgainstStatement(failed)) return;
    const since = saysNotOffered(failed) ? doubtedAt : known.at;
    if (now() - since < CAPABILITY_BELIEVED) return;
    known = undefined;
    doubtedAt = now();
  }

  return {
    baseUrl,
    vendor,
    breaker,
    concurrency: bounds.concurrency,
    requestsPerSecond: bounds.requestsPerSecond,
    authorization,
    send,
    session: (onExchange) =>
      createFhirClient({
        baseUrl,
        send,
        authorization: tokens.toldTo(authorization, onExchange),
        breaker,
        pacing,
        clock,
        onExchange: (exchange) => {
          options.onExchange?.(exchange);
          doubtAfter(exchange);
          onExchange(exchange);
        },
        wait,
        ...(options.random ? { random: options.random } : {}),
      }),
    skew: () => ahead,
    bulk: (onExchange) =>
      createBulkClient({ baseUrl, send, download, authorization, breaker, pacing, clock, onExchange }),
    async capability(client) {
      if (known && now() - known.at < CAPABILITY_LIFETIME) return success(known.capability);
      asking ??= ask(client).finally(() => {
        asking = undefined;
      });
      return asking;
    },
    async available(client) {
      const admitted = breaker.admit();
      if (admitted === 'probe') await ask(client);
      return admitted === 'yes' || breaker.status.state === 'closed';
    },
    close: async () => certified?.close(),
  };
}

// A simulated vendor's server on a real port with the built-in patients, and a client that asks it.
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { movableClock } from '../../src/clock.ts';
import { builtInHospital, builtInRecord } from '../../src/sandbox/ehr/simulator/built-in-patients.ts';
import { type SimulatedEhrOptions, startSimulatedEhr } from '../../src/sandbox/ehr/simulator/server.ts';
import type { SimulatedVendor } from '../../src/sandbox/ehr/vendors/presets.ts';

export const MORNING = Temporal.Instant.from('2026-11-20T13:00:00Z');

export interface Reply<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
}

export type World = Awaited<ReturnType<typeof simulate>>;

/** @param patients how many; asks for no token unless `options` name a client */
export async function simulate(vendor: SimulatedVendor, options: Partial<SimulatedEhrOptions> = {}, patients = 2) {
  const server = await startSimulatedEhr({ vendor, client: 'none', clock: movableClock(MORNING), ...options });
  server.load([...builtInHospital(), ...Array.from({ length: patients }, (_, index) => builtInRecord(index)).flat()]);

  /** `path` follows the FHIR base, or is absolute. */
  async function call<T = Resource>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply<T>> {
    const url = path.startsWith('http') ? path : `${server.baseUrl}${path}`;
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { 'content-type': 'application/fhir+json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : undefined) as T,
    };
  }

  const world = {
    ...server,
    call,
    search: (path: string) => call<Bundle>('GET', path),
    fail: (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
      call<OperationOutcome>(method, path, body, headers),
    control: (method: string, path: string, body?: unknown) =>
      call<Record<string, unknown>>(method, `${server.controlUrl}${path}`, body, {
        authorization: `Bearer ${server.controlKey}`,
      }),
    /** Ids of the matches of all pages, in order. */
    async ids(path: string): Promise<string[]> {
      const found: string[] = [];
      for (let url: string | undefined = path, page = 0; url; page++) {
        if (page === 50) throw new Error('The pages do not end.');
        const { body, status, text } = await world.search(url);
        if (status !== 200) throw new Error(`${status}: ${text}`);
        found.push(...matches(body).map(({ id }) => id ?? ''));
        url = nextOf(body);
      }
      return found;
    },
  };
  return world;
}

export const matches = (bundle: Bundle): Resource[] =>
  (bundle.entry ?? []).filter(({ search }) => search?.mode === 'match').flatMap(({ resource }) => resource ?? []);

export const nextOf = (bundle: Bundle): string | undefined =>
  bundle.link?.find(({ relation }) => relation === 'next')?.url;

/** Vendor codes of the OperationOutcomes among the entries. */
export const noticesOf = (bundle: Bundle): string[] =>
  (bundle.entry ?? [])
    .filter(({ search }) => search?.mode === 'outcome')
    .map(({ resource }) => codeOf(resource as OperationOutcome));

/** The vendor's own code of an outcome, else its issue code. */
export const codeOf = ({ issue }: OperationOutcome): string =>
  issue[0]?.details?.coding?.[0]?.code ?? issue[0]?.code ?? '';

// A simulated EHR listening on a real port, with a token that it accepts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import Fastify from 'fastify';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { movableClock } from '../../src/clock.ts';
import { mountSandboxEhr } from '../../src/sandbox/ehr/mount.ts';

export const START = Temporal.Instant.from('2026-11-20T13:00:00Z');

export interface Reply<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export type EhrServer = Awaited<ReturnType<typeof startEhr>>;

const pair = await generateKeyPair('ES384');
const publicKey = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES384', use: 'sig' };

/** A folder of its own for one test. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'baton-sandbox-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** @param folder where the journal is; the same folder again is a restart */
export async function startEhr(folder: string) {
  const app = Fastify();
  const clock = movableClock(START);
  let base = '';
  const ehr = await mountSandboxEhr(app, {
    name: 'hapi',
    baseUrl: () => base,
    journalPath: join(folder, 'sandbox-ehr-hapi.ndjson'),
    clock,
    client: { clientId: 'baton', jwks: { keys: [publicKey] } },
    verify: async (token) => token === 'from-baton',
  });
  base = await app.listen({ port: 0, host: '127.0.0.1' });

  /** One request with a good token; `path` starts after the FHIR base, or is absolute. */
  async function call<T = Resource>(
    method: string,
    path: string,
    body?: unknown,
    headers: object = {},
  ): Promise<Reply<T>> {
    const url = path.startsWith('http') ? path : `${ehr.fhirBase()}${path}`;
    const response = await fetch(url, {
      method,
      headers: { authorization: 'Bearer from-baton', 'content-type': 'application/fhir+json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : undefined) as T };
  }
  return {
    call,
    clock,
    root: () => `${base}/sandbox/ehr/hapi`,
    search: (path: string) => call<Bundle>('GET', path),
    fail: (method: string, path: string, body?: unknown, headers?: object) =>
      call<OperationOutcome>(method, path, body, headers),
    async stop() {
      await app.close();
      await ehr.close();
    },
  };
}

/** A client assertion as SMART Backend Services wants it; `changes` makes it wrong. */
export async function assertion(
  audience: string,
  changes: { jti?: string; lifeSeconds?: number; key?: CryptoKey; clientId?: string } = {},
): Promise<string> {
  const now = Math.floor(Temporal.Now.instant().epochMilliseconds / 1000);
  const client = changes.clientId ?? 'baton';
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES384', kid: 'k1', typ: 'JWT' })
    .setIssuer(client)
    .setSubject(client)
    .setAudience(audience)
    .setJti(changes.jti ?? crypto.randomUUID())
    .setExpirationTime(now + (changes.lifeSeconds ?? 240))
    .sign(changes.key ?? pair.privateKey);
}

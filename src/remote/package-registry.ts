// Fetches a FHIR package from a registry by name and version. https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
import { Fault } from '../fault.ts';
import { MAX_ARCHIVE } from '../fhir/package/read-package.ts';

export interface PackageRegistry {
  /** Without trailing slash. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
}

/** Time for the whole package, in milliseconds. */
const TIMEOUT = 120_000;
const MAX_REDIRECTS = 5;

/**
 * @returns the bytes of the .tgz
 * @throws Fault not-found, unavailable when the registry cannot be reached, upstream for an answer that makes no sense,
 *   too-large
 */
export async function fetchPackage(registry: PackageRegistry, name: string, version: string): Promise<Uint8Array> {
  const address = `${registry.url}/${encodeURIComponent(name)}/${encodeURIComponent(version)}`;
  const signal = AbortSignal.timeout(TIMEOUT);
  try {
    const response = await follow(registry, address, signal);
    if (response.status === 404) {
      throw new Fault('not-found', `${registry.url} has no package ${name}@${version}.`);
    }
    if (!response.ok) throw new Fault('upstream', `${address} answered ${response.status}.`);
    return await readLimited(response, address);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const why = `${registry.url} cannot be reached (${reasonOf(error)}).`;
    throw new Fault('unavailable', `${why} Without a network, get the .tgz by other means and name the file.`, {
      cause: error,
    });
  }
}

/** Never from https to anything else: what is fetched decides what counts as valid. */
async function follow(registry: PackageRegistry, address: string, signal: AbortSignal): Promise<Response> {
  let at = address;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const headers = { accept: 'application/tar+gzip, application/gzip, application/octet-stream, */*' };
    const response = await registry.fetch(at, { redirect: 'manual', headers, signal });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    const next = URL.parse(location, at);
    if (!next || next.protocol !== new URL(registry.url).protocol) {
      throw new Fault('upstream', `${at} leads to ${location}, which is not followed.`);
    }
    at = next.href;
  }
  throw new Fault('upstream', `${address} leads on more than ${MAX_REDIRECTS} times.`);
}

async function readLimited(response: Response, address: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ARCHIVE) throw new Fault('too-large', `What ${address} sends is larger than 128 MiB.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function reasonOf(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? (name === 'TimeoutError' ? 'it took too long' : message);
}

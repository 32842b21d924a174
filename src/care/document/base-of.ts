// The last version of a resource that this server and the sender of a document both knew.
import type { Resource } from '@medplum/fhirtypes';
import type { Found, Here } from './find-local.ts';
import { withCaseNamesOf } from './localise.ts';
import { ownIdentifierOf, withoutOwnIdentifier } from './own-identifier.ts';

/**
 * What the newest earlier document brought, or the version that it left here as, whichever is later; undefined when the
 * two have never exchanged it.
 */
export async function baseOf(here: Here, { entry, type, id, local }: Found): Promise<Resource | undefined> {
  const { earlier, exchange } = here;
  const name = `${type}/${id}`;
  const brought = earlier.flatMap((one) => {
    const resource = one.bring(name);
    return resource ? [{ at: Temporal.Instant.from(one.recorded), resource }] : [];
  })[0];
  const left = await leftAs(here, ownIdentifierOf(exchange, entry.resource), type, id);
  if (!left || (brought && Temporal.Instant.compare(brought.at, left.at) >= 0)) {
    if (!brought) return undefined;
    const resource = withoutOwnIdentifier(exchange, brought.resource);
    return local ? withCaseNamesOf(local as Resource, resource) : resource;
  }
  return left.resource;
}

async function leftAs({ exchange }: Here, own: ReturnType<typeof ownIdentifierOf>, type: string, id: string) {
  if (own?.id !== id || own.version === undefined) return undefined;
  const resource = await exchange.version(type, id, own.version);
  const at = resource?.meta?.lastUpdated;
  return resource && at !== undefined ? { resource, at: Temporal.Instant.from(at) } : undefined;
}

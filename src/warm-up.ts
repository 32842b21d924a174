// After the start, in between requests: the profiles of profiles/ are compiled, so that the first case, plan or referral of
// the day is written as fast as the second.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Resource } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import type { Conformance } from './fhir/conformance.ts';

/** One profile at a time; a request that comes meanwhile waits for one at most. */
export async function warmUp(
  brought: readonly Resource[],
  { prepareProfile }: Pick<Conformance, 'prepareProfile'>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<void> {
  for (const resource of brought) {
    if (resource.resourceType !== 'StructureDefinition' || resource.kind !== 'resource') continue;
    await nextTurn();
    if (signal.aborted) return;
    try {
      prepareProfile(resource.url);
    } catch (error) {
      log.warn({ err: error, profile: resource.url }, 'a profile could not be prepared');
    }
  }
}

// Reads the artefacts that an integrator may change: every FHIR resource under profiles/. Policies, matching rules,
// calendars and roles lie in the same folder but are no FHIR resources and have their own readers.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';

const NOT_FHIR = new Set([
  'policies',
  'calendars',
  'roles',
  'access',
  'matching',
  'stratification',
  'risk-methods',
  'evidence',
  'notifications',
  'senders',
  'subscription-topics',
]);

/**
 * Every resource under `folder`, in the order of the paths.
 * @throws Fault unprocessable naming the file that is not JSON or no resource
 */
export function loadProfiles(folder: string): Resource[] {
  return filesUnder(folder, true).map(readResource);
}

/** The resources of one type. */
export function ofType<K extends ResourceType>(
  resources: readonly Resource[],
  type: K,
): Extract<Resource, { resourceType: K }>[] {
  return resources.filter(
    (resource): resource is Extract<Resource, { resourceType: K }> => resource.resourceType === type,
  );
}

function filesUnder(folder: string, top: boolean): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return top && NOT_FHIR.has(entry.name) ? [] : filesUnder(path, false);
    return entry.name.endsWith('.json') && !top ? [path] : [];
  });
}

function readResource(path: string): Resource {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Fault('unprocessable', `${path} is not JSON.`, { cause });
  }
  if (typeof value !== 'object' || value === null || typeof (value as Resource).resourceType !== 'string') {
    throw new Fault('unprocessable', `${path} is not a FHIR resource: it has no resourceType.`);
  }
  return value as Resource;
}

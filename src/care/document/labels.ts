// The security labels of everything in a document: whoever may not read a part may not read the whole.
import type { Coding, Resource } from '@medplum/fhirtypes';

export function labelsOf(resources: readonly (Resource | undefined)[]): Coding[] {
  const labels = new Map<string, Coding>();
  for (const resource of resources) {
    for (const { system, code } of resource?.meta?.security ?? []) {
      if (system !== undefined && code !== undefined) labels.set(`${system}|${code}`, { system, code });
    }
  }
  return [...labels].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, label]) => label);
}

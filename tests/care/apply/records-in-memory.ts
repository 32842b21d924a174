// Records over a few resources: enough of search for what pathways ask.
import type { Resource } from '@medplum/fhirtypes';
import type { Kept, Records } from '../../../src/care/records.ts';

export function recordsOf(...resources: readonly Resource[]): Records {
  const kept = resources.map((resource) => ({
    ...resource,
    meta: { ...resource.meta, versionId: '1', lastUpdated: '2026-11-01T00:00:00.000Z' },
  }));
  return {
    async read(type, id) {
      return kept.find((one) => one.resourceType === type && one.id === id) as Kept<typeof type> | undefined;
    },
    async find(type, search) {
      const wanted = Object.entries(search).flatMap(([name, value]) =>
        [value].flat().map((one) => [name, one] as const),
      );
      return kept.filter(
        (one) => one.resourceType === type && wanted.every(([name, value]) => matches(one, name, value as string)),
      ) as Kept<typeof type>[];
    },
  };
}

function matches(resource: Resource, name: string, value: string): boolean {
  const fields = resource as unknown as Record<string, unknown>;
  if (name === 'patient') {
    const { reference } = (fields.subject ?? fields.patient ?? {}) as { reference?: string };
    return reference === `Patient/${value.replace('Patient/', '')}`;
  }
  if (name === 'code' || name === 'identifier')
    return JSON.stringify(fields[name] ?? '').includes(value.split('|')[1] ?? '');
  return fields[name] === value;
}

// Finding, registering and updating community resources.
import { randomUUID } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Fault } from '../../fault.ts';
import type { Caller, Kept, Planned, Records, SearchFor } from '../records.ts';
import type { CapacityNow, CommunityResource, RegisterResource } from './resource-schema.ts';
import { isOfCategory, speaks, viewResource, withCapacity, writePlace, writeResource } from './resource-view.ts';

export const ResourceFilter = Type.Object(
  {
    category: Type.Optional(Type.String({ description: 'Code of a category or type, e.g. food-insecurity' })),
    near: Type.Optional(
      Type.String({
        pattern: '^-?\\d+(\\.\\d+)?\\|-?\\d+(\\.\\d+)?(\\|\\d+(\\.\\d+)?(\\|(km|\\[mi_us\\]))?)?$',
        description: 'latitude|longitude|distance|unit, as FHIR searches locations',
        examples: ['42.36|-71.06|10|km'],
      }),
    ),
    language: Type.Optional(Type.String({ description: 'BCP-47 language that is spoken there' })),
    open: Type.Optional(Type.Boolean({ description: 'Only those that do not say they have no capacity' })),
  },
  { additionalProperties: false },
);
export type ResourceFilter = Static<typeof ResourceFilter>;

/** Active services, by name. */
export async function findCommunityResources(records: Records, filter: ResourceFilter): Promise<CommunityResource[]> {
  const { category, near, language, open } = filter;
  const places = near === undefined ? undefined : await records.find('Location', { near });
  if (places?.length === 0) return [];
  const search: SearchFor = {
    active: 'true',
    _sort: 'name',
    ...(places ? { location: places.map(({ id }) => `Location/${id}`).join(',') } : {}),
  };
  const services = await records.find('HealthcareService', search);
  return services
    .filter((service) => category === undefined || isOfCategory(service, category))
    .filter((service) => language === undefined || speaks(service, language))
    .map(viewResource)
    .filter(({ capacity }) => !open || capacity?.status !== 'no-capacity');
}

/** @throws Fault unprocessable when a half of the position is missing */
export async function registerResource(
  _records: Records,
  _caller: Caller,
  { input }: { readonly input: RegisterResource },
): Promise<Planned> {
  const { place, location } = input;
  if (place && location) {
    throw new Fault('unprocessable', 'Give `location` or `place`.', { expression: 'place', code: 'business-rule' });
  }
  if (place && (place.latitude === undefined) !== (place.longitude === undefined)) {
    throw new Fault('unprocessable', 'A position has a latitude and a longitude.', {
      expression: 'place',
      code: 'required',
    });
  }
  const made = writePlace(input);
  const id = randomUUID();
  const where = made ? { reference: `Location/${id}`, display: input.name } : location;
  return {
    changes: [
      { op: 'create', resource: writeResource(input, where) },
      ...(made ? [{ op: 'create' as const, id, resource: made }] : []),
    ],
    about: 0,
  };
}

/** @throws Fault not-found */
export async function updateCapacity(
  records: Records,
  _caller: Caller,
  { id, input }: { readonly id: string; readonly input: CapacityNow },
): Promise<Planned> {
  const service = await readService(records, id);
  const resource = withCapacity(service, input);
  return { changes: [{ op: 'update', resource, ifMatch: service.meta.versionId }], about: 0 };
}

/** @throws Fault not-found */
export async function readService(records: Records, id: string): Promise<Kept<'HealthcareService'>> {
  const service = await records.read('HealthcareService', id);
  if (service) return service;
  throw new Fault('not-found', `There is no community resource ${id}.`);
}

// Community resources.
import Type from 'typebox';
import type { Records } from '../../care/records.ts';
import {
  findCommunityResources,
  ResourceFilter,
  readService,
  registerResource,
  updateCapacity,
} from '../../care/resources/plan-resources.ts';
import { CapacityNow, CommunityResource, RegisterResource } from '../../care/resources/resource-schema.ts';
import { viewResource } from '../../care/resources/resource-view.ts';
import { command, query } from './route.ts';

const SHARED = { tag: 'Community resources', reads: ['HealthcareService'] } as const;
const show = async (records: Records, id: string) => viewResource(await readService(records, id));

export const RESOURCE_ROUTES = [
  query({
    ...SHARED,
    path: '/community-resources',
    name: 'community-resource-list',
    summary: 'Services that patients can be referred to, by name',
    query: ResourceFilter,
    answer: Type.Object({ items: Type.Array(CommunityResource) }),
    run: async ({ records, query: filter }) => ({ items: await findCommunityResources(records, filter) }),
  }),
  query({
    ...SHARED,
    path: '/community-resources/:resource',
    name: 'community-resource-read',
    summary: 'One service',
    answer: CommunityResource,
    run: ({ records, params }) => show(records, params.resource),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/community-resources',
    name: 'community-resource-register',
    summary: 'Registers a service',
    body: RegisterResource,
    answer: CommunityResource,
    examples: {
      body: {
        name: 'Harbor Food Pantry',
        categories: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/service-category',
            code: '16',
            text: 'Financial & Material Aid',
          },
        ],
        sdoh: ['food-insecurity'],
        languages: ['en', 'es'],
        place: { address: '12 Pier Street, Boston MA', latitude: 42.36, longitude: -71.05 },
        capacity: { status: 'capacity' },
      },
    },
    plan: ({ records, caller, body }) => registerResource(records, caller, { input: body }),
    view: ({ records }, made) => show(records, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/community-resources/:resource/capacity',
    name: 'community-resource-capacity',
    summary: 'Says whether the service can take another person',
    body: CapacityNow,
    examples: { body: { status: 'waitlist', notes: 'About two weeks' } },
    answer: CommunityResource,
    plan: ({ records, caller, params, body }) => updateCapacity(records, caller, { id: params.resource, input: body }),
    view: ({ records }, made) => show(records, made.id),
  }),
];

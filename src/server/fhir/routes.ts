// Every FHIR interaction that is answered, in one table: path, method, code. A method that a path does not have is 405.
// https://hl7.org/fhir/R4/http.html#summary
import type { RouteFacts } from '../route-facts.ts';
import { batch } from './batch.ts';
import { capabilities } from './capabilities.ts';
import type { FhirHandler } from './context.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { history } from './history.ts';
import { operationRoutes } from './operations/routes.ts';
import { OPERATIONS } from './operations/table.ts';
import { read } from './read.ts';
import { search } from './search.ts';
import { update } from './update.ts';
import { vread } from './vread.ts';

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

export interface FhirRoute {
  readonly facts: RouteFacts;
  readonly handler: FhirHandler;
}

export const JSON_TYPES = ['application/fhir+json', 'application/json', 'text/json'];
const FORM_TYPE = 'application/x-www-form-urlencoded';

const CAPABILITIES = route({ interaction: 'capabilities', open: true }, capabilities);
const BATCH = route({ interaction: 'batch', action: 'E', takes: JSON_TYPES }, batch);
const CREATE = route({ interaction: 'create', action: 'C', takes: JSON_TYPES }, create);
const READ = route({ interaction: 'read' }, read);
const VREAD = route({ interaction: 'vread' }, vread);
const UPDATE = route({ interaction: 'update', action: 'U', takes: JSON_TYPES }, update);
const DELETE = route({ interaction: 'delete', action: 'D' }, remove);
const SEARCH_TYPE = route({ interaction: 'search-type', action: 'E' }, search);
const SEARCH_TYPE_BY_FORM = route({ interaction: 'search-type', action: 'E', takes: [FORM_TYPE] }, search);
const SEARCH_SYSTEM = route({ interaction: 'search-system', action: 'E' }, search);
const SEARCH_SYSTEM_BY_FORM = route({ interaction: 'search-system', action: 'E', takes: [FORM_TYPE] }, search);
const HISTORY_INSTANCE = route({ interaction: 'history-instance' }, history);
const HISTORY_TYPE = route({ interaction: 'history-type' }, history);
const HISTORY_SYSTEM = route({ interaction: 'history-system' }, history);

export const FHIR_ROUTES: Readonly<Record<string, Partial<Record<Method, FhirRoute>>>> = {
  '/metadata': { GET: CAPABILITIES },
  '/': { GET: SEARCH_SYSTEM, POST: BATCH },
  '/_search': { POST: SEARCH_SYSTEM_BY_FORM },
  '/_history': { GET: HISTORY_SYSTEM },
  '/:type': { GET: SEARCH_TYPE, POST: CREATE, PUT: UPDATE, DELETE },
  '/:type/_search': { POST: SEARCH_TYPE_BY_FORM },
  '/:type/_history': { GET: HISTORY_TYPE },
  '/:type/:id': { GET: READ, PUT: UPDATE, DELETE },
  '/:type/:id/_history': { GET: HISTORY_INSTANCE },
  '/:type/:id/_history/:version': { GET: VREAD },
  '/:type/:id/:target': { GET: SEARCH_TYPE },
  '/:type/:id/:target/_search': { POST: SEARCH_TYPE_BY_FORM },
  ...operationRoutes(OPERATIONS, JSON_TYPES),
};

function route(facts: RouteFacts, handler: FhirHandler): FhirRoute {
  return { facts, handler };
}

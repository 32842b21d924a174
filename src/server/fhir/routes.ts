// Every FHIR interaction that is answered, in one table: path, method, code. A method that a path does not have is 405.
// https://hl7.org/fhir/R4/http.html#summary
import { besideTrail, refuseOnTrail, searchAuditEvents } from './audit-events.ts';
import { batch } from './batch.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { patch } from './patch.ts';
import { QUESTION_ROUTES } from './questions.ts';
import { FORM_TYPE, JSON_TYPES, PATCH_TYPES, type RouteTable, route } from './route.ts';
import { search } from './search.ts';
import { update } from './update.ts';

const BATCH = route({ interaction: 'batch', action: 'E', takes: JSON_TYPES }, batch);
const CREATE = route({ interaction: 'create', action: 'C', takes: JSON_TYPES }, besideTrail(create, refuseOnTrail));
const UPDATE = route({ interaction: 'update', action: 'U', takes: JSON_TYPES }, besideTrail(update, refuseOnTrail));
const PATCH = route({ interaction: 'patch', action: 'U', takes: PATCH_TYPES }, besideTrail(patch, refuseOnTrail));
const DELETE = route({ interaction: 'delete', action: 'D' }, besideTrail(remove, refuseOnTrail));
const SEARCH_TYPE_BY_FORM = route(
  { interaction: 'search-type', action: 'E', takes: [FORM_TYPE] },
  besideTrail(search, searchAuditEvents),
);
const SEARCH_SYSTEM_BY_FORM = route({ interaction: 'search-system', action: 'E', takes: [FORM_TYPE] }, search);

export const FHIR_ROUTES: RouteTable = {
  ...QUESTION_ROUTES,
  '/': { ...QUESTION_ROUTES['/'], POST: BATCH },
  '/_search': { POST: SEARCH_SYSTEM_BY_FORM },
  '/:type': { ...QUESTION_ROUTES['/:type'], POST: CREATE, PUT: UPDATE, PATCH, DELETE },
  '/:type/_search': { POST: SEARCH_TYPE_BY_FORM },
  '/:type/:id': { ...QUESTION_ROUTES['/:type/:id'], PUT: UPDATE, PATCH, DELETE },
  '/:type/:id/:target/_search': { POST: SEARCH_TYPE_BY_FORM },
};

// The routes that change nothing, and the operations: what an entry of a Bundle may ask as well as a request.
// https://hl7.org/fhir/R4/http.html#summary
import { besideTrail, readAuditEvent, refuseOnTrail, searchAuditEvents } from './audit-events.ts';
import { capabilities } from './capabilities.ts';
import { history } from './history.ts';
import { createMatcher } from './match-route.ts';
import { operationRoutes } from './operations/routes.ts';
import { OPERATIONS } from './operations/table.ts';
import { read } from './read.ts';
import { JSON_TYPES, type RouteTable, route } from './route.ts';
import { search } from './search.ts';
import { vread } from './vread.ts';

const SEARCH_TYPE = route({ interaction: 'search-type', action: 'E' }, besideTrail(search, searchAuditEvents));

export const QUESTION_ROUTES: RouteTable = {
  '/metadata': { GET: route({ interaction: 'capabilities', open: true }, capabilities) },
  '/': { GET: route({ interaction: 'search-system', action: 'E' }, search) },
  '/_history': { GET: route({ interaction: 'history-system' }, history) },
  '/:type': { GET: SEARCH_TYPE },
  '/:type/_history': { GET: route({ interaction: 'history-type' }, besideTrail(history, refuseOnTrail)) },
  '/:type/:id': { GET: route({ interaction: 'read' }, besideTrail(read, readAuditEvent)) },
  '/:type/:id/_history': { GET: route({ interaction: 'history-instance' }, besideTrail(history, refuseOnTrail)) },
  '/:type/:id/_history/:version': { GET: route({ interaction: 'vread' }, besideTrail(vread, refuseOnTrail)) },
  '/:type/:id/:target': { GET: SEARCH_TYPE },
  ...operationRoutes(OPERATIONS, JSON_TYPES),
};

/** The route that answers a question inside a Bundle. @throws Fault not-found | not-allowed */
export const matchQuestion = createMatcher(QUESTION_ROUTES);

/** Whether a route is an operation that changes something. */
export function changesState(interaction: string | undefined): boolean {
  return OPERATIONS.some(({ code, affectsState }) => affectsState && interaction === `$${code}`);
}

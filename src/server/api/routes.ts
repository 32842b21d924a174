// All routes below /api/v1.
import { CASE_ROUTES } from './case-routes.ts';
import { DOCUMENT_ROUTES } from './document-routes.ts';
import type { ApiRoute } from './route.ts';

export const API_ROUTES: readonly ApiRoute[] = [...CASE_ROUTES, ...DOCUMENT_ROUTES];

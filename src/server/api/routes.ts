// All routes below /api/v1.
import { ASSESSMENT_ROUTES } from './assessment-routes.ts';
import { CASE_ROUTES } from './case-routes.ts';
import type { ApiRoute } from './route.ts';

export const API_ROUTES: readonly ApiRoute[] = [...CASE_ROUTES, ...ASSESSMENT_ROUTES];

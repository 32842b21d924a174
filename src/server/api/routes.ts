// All routes below /api/v1.
import { CASE_ROUTES } from './case-routes.ts';
import { CLINIC_ROUTES } from './clinic-routes.ts';
import type { ApiRoute } from './route.ts';

export const API_ROUTES: readonly ApiRoute[] = [...CASE_ROUTES, ...CLINIC_ROUTES];

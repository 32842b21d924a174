// All routes below /api/v1.
import { CASE_ROUTES } from './case-routes.ts';
import { CASE_STORY_ROUTES } from './case-story-routes.ts';
import type { ApiRoute } from './route.ts';
import { WORKLIST_ROUTES } from './worklist-routes.ts';

export const API_ROUTES: readonly ApiRoute[] = [...CASE_ROUTES, ...CASE_STORY_ROUTES, ...WORKLIST_ROUTES];

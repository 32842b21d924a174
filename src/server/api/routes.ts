// All routes below /api/v1.
import { ASSESSMENT_ROUTES } from './assessment-routes.ts';
import { CASE_ROUTES } from './case-routes.ts';
import { CASE_STORY_ROUTES } from './case-story-routes.ts';
import { GOAL_ROUTES } from './goal-routes.ts';
import { INTERVENTION_ROUTES } from './intervention-routes.ts';
import { NEED_ROUTES } from './need-routes.ts';
import { PLAN_ROUTES } from './plan-routes.ts';
import type { ApiRoute } from './route.ts';
import { WORKLIST_ROUTES } from './worklist-routes.ts';

export const API_ROUTES: readonly ApiRoute[] = [
  ...CASE_ROUTES,
  ...CASE_STORY_ROUTES,
  ...NEED_ROUTES,
  ...GOAL_ROUTES,
  ...INTERVENTION_ROUTES,
  ...PLAN_ROUTES,
  ...WORKLIST_ROUTES,
  ...ASSESSMENT_ROUTES,
];

// What is done with a patient besides the plan: meeting, medication, education, preferences, safety.
import { CONFERENCE_ROUTES } from './conference-routes.ts';
import { EDUCATION_ROUTES } from './education-routes.ts';
import { MEDICATION_ROUTES } from './medication-routes.ts';
import { PREFERENCE_ROUTES } from './preference-routes.ts';
import type { ApiRoute } from './route.ts';
import { SAFETY_ROUTES } from './safety-routes.ts';

export const CLINIC_ROUTES: readonly ApiRoute[] = [
  ...CONFERENCE_ROUTES,
  ...MEDICATION_ROUTES,
  ...EDUCATION_ROUTES,
  ...PREFERENCE_ROUTES,
  ...SAFETY_ROUTES,
];

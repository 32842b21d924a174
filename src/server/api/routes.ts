// All routes below /api/v1.

import { ASKED_REFERRAL_ROUTES } from './asked-referral-routes.ts';
import { ASSESSMENT_ROUTES } from './assessment-routes.ts';
import { CAREGIVER_ROUTES } from './caregiver-routes.ts';
import { CASE_ROUTES } from './case-routes.ts';
import { CASE_STORY_ROUTES } from './case-story-routes.ts';
import { CLINIC_ROUTES } from './clinic-routes.ts';
import { CONTACT_ROUTES } from './contact-routes.ts';
import { DISCHARGE_ROUTES } from './discharge-routes.ts';
import { DOCUMENT_ROUTES } from './document-routes.ts';
import { EQUIPMENT_ROUTES } from './equipment-routes.ts';
import { EVIDENCE_ROUTES } from './evidence-routes.ts';
import { FOLLOW_UP_ROUTES } from './follow-up-routes.ts';
import { GOAL_ROUTES } from './goal-routes.ts';
import { INTERVENTION_ROUTES } from './intervention-routes.ts';
import { MESSAGE_ROUTES } from './message-routes.ts';
import { NEED_ROUTES } from './need-routes.ts';
import { PANEL_ROUTES } from './panel-routes.ts';
import { PATHWAY_ROUTES } from './pathway-routes.ts';
import { PLAN_ROUTES } from './plan-routes.ts';
import { REFERRAL_ROUTES } from './referral-routes.ts';
import { RESOURCE_ROUTES } from './resource-routes.ts';
import type { ApiRoute } from './route.ts';
import { TEAM_ROUTES } from './team-routes.ts';
import { WORKLIST_ROUTES } from './worklist-routes.ts';

export const API_ROUTES: readonly ApiRoute[] = [
  ...CASE_ROUTES,
  ...CASE_STORY_ROUTES,
  ...DISCHARGE_ROUTES,
  ...EVIDENCE_ROUTES,
  ...TEAM_ROUTES,
  ...CAREGIVER_ROUTES,
  ...CONTACT_ROUTES,
  ...MESSAGE_ROUTES,
  ...REFERRAL_ROUTES,
  ...ASKED_REFERRAL_ROUTES,
  ...EQUIPMENT_ROUTES,
  ...RESOURCE_ROUTES,
  ...NEED_ROUTES,
  ...GOAL_ROUTES,
  ...INTERVENTION_ROUTES,
  ...FOLLOW_UP_ROUTES,
  ...PLAN_ROUTES,
  ...WORKLIST_ROUTES,
  ...ASSESSMENT_ROUTES,
  ...PATHWAY_ROUTES,
  ...PANEL_ROUTES,
  ...CLINIC_ROUTES,
  ...DOCUMENT_ROUTES,
];

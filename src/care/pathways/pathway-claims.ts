// What a resource that a pathway makes claims to be, beside what its definition says: by its type, and by the categories that
// the definition gives it (a kind of referral, a social need of Gravity).
import type { Goal, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import { socialNeedOf } from '../goals/goal.ts';
import { CLAIMS, GRAVITY_CLAIMS } from '../plans/claims.ts';
import { isProcedureCode, kindOf, PROFILE, sdohOf } from '../referrals/referral-codes.ts';

/** Canonicals of profiles; none for types that no case has. */
export function claimsOfMade(resource: Resource): readonly string[] {
  switch (resource.resourceType) {
    case 'Goal':
      return goalClaims(resource);
    case 'Task':
      return CLAIMS.intervention;
    case 'DeviceRequest':
      return [profileUrl('baton', 'baton-equipment')];
    case 'ServiceRequest':
      return orderClaims(resource);
    default:
      return [];
  }
}

const goalClaims = (goal: Goal) => [...CLAIMS.goal, ...(socialNeedOf(goal) ? [GRAVITY_CLAIMS.goal] : [])];

function orderClaims({ category, code }: ServiceRequest): string[] {
  const isGravity = sdohOf(category).length > 0 && isProcedureCode(code);
  return [
    ...(kindOf(category) ? [PROFILE.referral] : []),
    PROFILE.usCoreServiceRequest,
    ...(isGravity ? [PROFILE.gravityServiceRequest] : []),
  ];
}

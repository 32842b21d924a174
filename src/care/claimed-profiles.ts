// The profiles that a resource made by case management claims and satisfies: Baton's own, and those it builds on.
import { profileUrl } from '../fhir/profile-canonical.ts';

/** `meta` of a new resource. @param usCore the ids of the US Core profiles that it satisfies as well */
export function claims(baton: string, ...usCore: readonly string[]): { profile: string[] } {
  return { profile: [profileUrl('baton', baton), ...usCore.map((id) => profileUrl('usCore', id))] };
}

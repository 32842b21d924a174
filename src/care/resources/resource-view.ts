// A HealthcareService as a community resource, and the other way round. Pure.
// https://hl7.org/fhir/R4/healthcareservice.html
import type { HealthcareService, Location } from '@medplum/fhirtypes';
import { codedOf, conceptOf } from '../coded.ts';
import { hasCode } from '../concept.ts';
import { type LinkedOut, linkedOf } from '../linked.ts';
import { GRAVITY_CODES } from '../needs/social-needs.ts';
import { present, some } from '../present.ts';
import type { Kept } from '../records.ts';
import { sdohConcepts, sdohOf } from '../referrals/referral-codes.ts';
import { CAPACITY, capacityExtension, capacityOf, RESOURCE_PROFILE } from './resource-codes.ts';
import type { CapacityNow, CommunityResource, RegisterResource } from './resource-schema.ts';

const LANGUAGE = 'urn:ietf:bcp:47';

export function writeResource(input: RegisterResource, location: LinkedOut | undefined): HealthcareService {
  const { name, categories, sdoh = [], types = [], provider, telecom, languages = [], eligibility, comment } = input;
  const service: HealthcareService = {
    resourceType: 'HealthcareService',
    meta: { profile: [RESOURCE_PROFILE] },
    active: true,
    ...(provider ? { providedBy: provider as HealthcareService['providedBy'] } : {}),
    // Gravity's categories without US Core's, which is of orders.
    category: [...categories.map(conceptOf), ...sdohConcepts(sdoh).slice(1)],
    ...(types.length > 0 ? { type: types.map(conceptOf) } : {}),
    ...(location ? { location: [location as NonNullable<HealthcareService['location']>[number]] } : {}),
    name,
    ...(comment === undefined ? {} : { comment }),
    ...(telecom ? { telecom } : {}),
    ...(eligibility === undefined ? {} : { eligibility: [{ comment: eligibility }] }),
    ...(languages.length > 0
      ? { communication: languages.map((code) => ({ coding: [{ system: LANGUAGE, code }] })) }
      : {}),
    ...(input.appointmentRequired === undefined ? {} : { appointmentRequired: input.appointmentRequired }),
  };
  return input.capacity ? withCapacity(service, input.capacity) : service;
}

export function writePlace({ name, place }: RegisterResource): Location | undefined {
  if (!place) return undefined;
  const { address, latitude, longitude } = place;
  const position = latitude === undefined || longitude === undefined ? {} : { position: { latitude, longitude } };
  return {
    resourceType: 'Location',
    status: 'active',
    mode: 'instance',
    name,
    address: { text: address },
    ...position,
  };
}

/** Other extensions stay. */
export function withCapacity(service: HealthcareService, { status, notes }: CapacityNow): HealthcareService {
  const others = (service.extension ?? []).filter(({ url }) => url !== CAPACITY);
  return { ...service, extension: [...others, capacityExtension(status, notes)] };
}

export function viewResource(service: Kept<'HealthcareService'>): CommunityResource {
  const { category = [], type = [], telecom = [], communication = [], eligibility = [], location = [] } = service;
  const own = category.filter((one) => !one.coding?.some(({ system }) => system === GRAVITY_CODES));
  return present<CommunityResource>({
    id: service.id,
    version: service.meta.versionId,
    active: service.active ?? true,
    name: service.name,
    categories: some(own.flatMap((one) => codedOf(one) ?? [])),
    sdoh: some(sdohOf(category)),
    types: some(type.flatMap((one) => codedOf(one) ?? [])),
    provider: linkedOf(service.providedBy),
    locations: some(location.flatMap((one) => linkedOf(one) ?? [])),
    telecom: some(telecom.flatMap(({ system, value }) => (value ? { ...(system ? { system } : {}), value } : []))),
    languages: some(communication.flatMap(({ coding = [] }) => coding[0]?.code ?? [])),
    eligibility: eligibility[0]?.comment ?? eligibility[0]?.code?.text,
    appointmentRequired: service.appointmentRequired,
    comment: service.comment,
    capacity: capacityOf(service),
  });
}

/** `es` is also what `es-MX` is. */
export function speaks(service: HealthcareService, language: string): boolean {
  const wanted = language.toLowerCase();
  const spoken = (service.communication ?? []).flatMap(({ coding = [] }) => coding.map(({ code = '' }) => code));
  return spoken.some((code) => code.toLowerCase() === wanted || code.toLowerCase().startsWith(`${wanted}-`));
}

/** By a code of any system, Gravity's included. */
export function isOfCategory(service: HealthcareService, code: string): boolean {
  const concepts = [...(service.category ?? []), ...(service.type ?? [])];
  return concepts.some(
    (one) => hasCode(one, GRAVITY_CODES, code) || one.coding?.some((coding) => coding.code === code),
  );
}

// The facilities messages may come from, and the one whose clock the people here live by.
import type { Config, FacilityConfig } from './config.ts';
import { SANDBOX_FACILITY } from './sandbox/sandbox-config.ts';

const ANYWHERE: FacilityConfig = { code: '*', name: 'Any facility', zone: 'UTC', calendar: 'us-federal' };

/**
 * Who messages may come from. Without any configuration everybody is read in one zone, so that a first try works; once
 * facilities are configured, an unknown one is refused unless there is a `*`.
 */
export function facilitiesOf({ facilities, sandbox }: Config): readonly FacilityConfig[] {
  const otherwise = sandbox ? [SANDBOX_FACILITY, { ...SANDBOX_FACILITY, code: '*', name: 'Any other facility' }] : [];
  const unconfigured = facilities.length === 0 && !sandbox ? [ANYWHERE] : otherwise;
  return [...facilities, ...unconfigured.filter(({ code }) => !facilities.some((facility) => facility.code === code))];
}

/** Nobody has said which facilities there are: times are read in UTC. */
export const areAnywhere = (facilities: readonly FacilityConfig[]) => facilities[0] === ANYWHERE;

/** Where days begin and end for who works here, and whose holidays they keep: at the only facility, or at every other one. */
export function homeOf(facilities: readonly FacilityConfig[]): Pick<FacilityConfig, 'zone' | 'calendar'> {
  const [only] = facilities;
  const home = facilities.find(({ code }) => code === '*') ?? (facilities.length === 1 ? only : undefined);
  return home ?? { zone: 'UTC', calendar: '' };
}

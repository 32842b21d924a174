// The vendors that can be simulated, by name.
import { EPIC_RULES } from './epic.ts';
import { HAPI_RULES } from './hapi.ts';
import { ORACLE_RULES } from './oracle.ts';
import type { VendorRules } from './vendor-rules.ts';

export const SIMULATED = { epic: EPIC_RULES, oracle: ORACLE_RULES, hapi: HAPI_RULES } as const satisfies Record<
  string,
  VendorRules
>;

export type SimulatedVendor = keyof typeof SIMULATED;

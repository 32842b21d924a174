// The products Baton knows, by the name used in a connection.
import { EPIC } from './epic.ts';
import { GENERIC } from './generic.ts';
import { HAPI } from './hapi.ts';
import { ORACLE } from './oracle.ts';
import type { Vendor } from './vendor.ts';

export const VENDORS = { generic: GENERIC, hapi: HAPI, epic: EPIC, oracle: ORACLE } as const satisfies Record<
  string,
  Vendor
>;

export type VendorName = keyof typeof VENDORS;

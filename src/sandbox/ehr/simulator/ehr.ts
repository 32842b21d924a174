// One simulated server: its vendor's rules, what it keeps, and the knobs that are turned at it.
import type { SimulatedVendor } from '../vendors/presets.ts';
import type { VendorRules } from '../vendors/vendor-rules.ts';
import type { Abilities } from './abilities.ts';
import type { Chance } from './chance.ts';
import type { DocumentDesk } from './document-desk.ts';
import type { Knobs } from './knobs.ts';
import type { Pages } from './page-sessions.ts';
import type { Records } from './records.ts';

export interface Ehr {
  readonly vendor: SimulatedVendor;
  readonly rules: VendorRules;
  readonly tenant: string;
  /** FHIR base URL without trailing slash; first called after listening. */
  readonly base: () => string;
  readonly records: Records;
  readonly knobs: Knobs;
  readonly chance: Chance;
  readonly abilities: Abilities;
  readonly pages: Pages;
  readonly documents: DocumentDesk;
  /** Survivors of merged patients by the id that is no more. */
  readonly merged: Map<string, string>;
  /** The server's own clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** What one request is answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; empty for none. */
  readonly body: string;
}

export interface Asked {
  readonly method: string;
  /** Whether the client's scopes let it do this. */
  readonly allows: (type: string, ability: string) => boolean;
  /** What follows the FHIR base, without query. */
  readonly segments: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

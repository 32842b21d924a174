// A simulated server, empty and quiet.
import type { Clock } from '../../../clock.ts';
import { SIMULATED, type SimulatedVendor } from '../vendors/presets.ts';
import { createAbilities } from './abilities.ts';
import { createChance } from './chance.ts';
import { createDocumentDesk } from './document-desk.ts';
import type { Ehr } from './ehr.ts';
import { quietKnobs } from './knobs.ts';
import { createPages } from './page-sessions.ts';
import { Records } from './records.ts';
import { stamper } from './stamps.ts';

/** @param base FHIR base URL, first called after listening */
export function createEhr(
  vendor: SimulatedVendor,
  seed: number,
  tenant: string,
  base: () => string,
  clock: Clock,
): Ehr {
  const rules = SIMULATED[vendor];
  const knobs = quietKnobs();
  const chance = createChance(seed);
  const names = createChance(seed + 2);
  const now = () => clock.now().epochMilliseconds;
  const records = new Records(now, stamper(knobs, now));
  let counter = 1000;
  const newId = () => {
    if (rules.ids === 'opaque') return `e${names.text(22)}`;
    counter += 1;
    return String(counter);
  };
  return {
    vendor,
    rules,
    tenant,
    base,
    records,
    knobs,
    chance,
    now,
    newId,
    abilities: createAbilities(rules, knobs),
    pages: createPages(createChance(seed + 3)),
    documents: createDocumentDesk(),
    merged: new Map(),
  };
}

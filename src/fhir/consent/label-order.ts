// Which security labels are covered by another one. Confidentiality is a high-water mark; sensitivities are a hierarchy.
// https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.securityLabel

export interface Label {
  readonly system: string;
  readonly code: string;
}

const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
export const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** From the least to the most confidential. */
const LEVELS = ['U', 'L', 'M', 'N', 'R', 'V'];

/** Codes of v3-ActCode below others, as R4 publishes them. */
const NARROWER: Readonly<Record<string, readonly string[]>> = {
  SPI: ['BH', 'COGN', 'DVD', 'EMOTDIS', 'MH', 'PSY', 'PSYTHPN', 'SUD', 'ETHUD', 'OPIOIDUD'],
  BH: ['COGN', 'DVD', 'EMOTDIS'],
  SUD: ['ETHUD', 'OPIOIDUD'],
};

/** The label and everything that it includes: what a permit for it, or a deny of it, is about. */
export function coveredBy(label: Label, effect: 'permit' | 'deny'): Label[] {
  const { system, code } = label;
  if (system === ACT_CODE) return [label, ...(NARROWER[code] ?? []).map((narrower) => ({ system, code: narrower }))];
  const level = LEVELS.indexOf(code);
  if (system !== CONFIDENTIALITY || level < 0) return [label];
  // Who may see restricted data may see what is less confidential; what may not be shown at one level may not at a higher.
  const covered = effect === 'permit' ? LEVELS.slice(0, level + 1) : LEVELS.slice(level);
  return covered.map((each) => ({ system, code: each }));
}

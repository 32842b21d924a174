// What must have happened after a discharge, and by when: thresholds and codes of TCM, TRC, FUH and FUM, as profiles/evidence says.
import behavioral from '../../../profiles/evidence/behavioral.json' with { type: 'json' };
import tcm from '../../../profiles/evidence/tcm.json' with { type: 'json' };
import trc from '../../../profiles/evidence/trc.json' with { type: 'json' };

/** Codes are `SYSTEM|CODE`. */
export type TcmRules = typeof tcm;
export type TrcRules = typeof trc;
export type BehavioralRules = typeof behavioral;

export const TCM: TcmRules = tcm;
export const TRC: TrcRules = trc;
export const BEHAVIORAL: BehavioralRules = behavioral;

// Purposes of use and the wider ones that they belong to: who coordinates care does so for treatment, and a rule about
// treatment is a rule about them, too. https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html

export const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

/** Wider purpose: narrower ones, as R4 publishes them. */
const NARROWER: Readonly<Record<string, string>> = {
  HOPERAT:
    'CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP HQUALIMP HSYSADMIN MEMADMIN ' +
    'MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV TRAIN',
  HSYSADMIN: 'LABELING METAMGT',
  SYSDEV: 'HTEST',
  HPAYMT: 'CLMATTCH COVAUTH COVERAGE REMITADV',
  COVERAGE: 'ELIGDTRM ELIGVER ENROLLM MILDCRG',
  HRESCH: 'BIORCH CLINTRCH DSRCH POARCH TRANSRCH',
  CLINTRCH: 'CLINTRCHNPC CLINTRCHPC PRECLINTRCH',
  PATRQT: 'FAMRQT PWATRNY SUPNWK',
  PUBHLTH: 'DISASTER THREAT',
  TREAT: 'CLINTRL COC ETREAT POPHLTH',
  ETREAT: 'BTG ERTREAT',
};

const WIDER = new Map(
  Object.entries(NARROWER).flatMap(([wider, codes]) => codes.split(' ').map((code) => [code, wider] as const)),
);

/** The purpose and every wider one, the narrowest first. */
export function purposeAndWider(code: string): string[] {
  const found: string[] = [];
  for (let each: string | undefined = code; each !== undefined; each = WIDER.get(each)) found.push(each);
  return found;
}

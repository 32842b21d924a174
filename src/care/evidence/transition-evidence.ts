// The evidence record of a transition: computed each time from what is stored, kept nowhere.
import { findReadable } from '../find-readable.ts';
import { linkedOf } from '../linked.ts';
import { toFhirDateTime } from '../local-time.ts';
import { present } from '../present.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM, EXTENSION, IDENTIFIER } from '../systems.ts';
import { behavioralEvidence } from './behavioral.ts';
import { type EvidenceFacts, proofOf } from './evidence-facts.ts';
import { BEHAVIORAL, TCM, TRC } from './evidence-rules.ts';
import type { TransitionEvidence } from './evidence-schema.ts';
import type { EvidenceSources } from './evidence-sources.ts';
import { gatherEvidence, gatherForHedis } from './gather-evidence.ts';
import { tcmEvidence } from './tcm.ts';
import { trcEvidence } from './trc.ts';

/** Undefined when there is no such transition, or the caller may not see it. */
export async function readEvidence(
  records: Records,
  caller: Caller,
  sources: EvidenceSources,
  id: string,
): Promise<TransitionEvidence | undefined> {
  const episode = await records.read('EpisodeOfCare', id);
  return episode && evidenceOf(records, caller, sources, episode);
}

/** @param caseId of a case whose patient's transition it must be */
export async function readEvidenceOfCase(
  records: Records,
  caller: Caller,
  sources: EvidenceSources,
  caseId: string,
  id: string,
): Promise<TransitionEvidence | undefined> {
  const [inCase, episode] = [await records.read('EpisodeOfCare', caseId), await records.read('EpisodeOfCare', id)];
  const patient = idOf(inCase?.patient, 'Patient');
  if (!episode || patient === undefined || idOf(episode.patient, 'Patient') !== patient) return undefined;
  return evidenceOf(records, caller, sources, episode);
}

async function evidenceOf(
  records: Records,
  caller: Caller,
  sources: EvidenceSources,
  episode: Kept<'EpisodeOfCare'>,
): Promise<TransitionEvidence | undefined> {
  const found = await gatherEvidence(records, sources, episode, caller.now);
  if (!found) return undefined;
  const facts = await gatherForHedis(records, found);
  const { zone, discharge, destination, encounter, patient } = facts;
  return present<TransitionEvidence>({
    id: episode.id,
    version: episode.meta.versionId,
    status: episode.status,
    patient: { reference: `Patient/${patient.id}` },
    encounter: { reference: `Encounter/${encounter.id}` },
    facility: linkedOf(episode.managingOrganization),
    zone,
    discharged: toFhirDateTime(discharge, zone),
    destination,
    risks: await risksOf(records, facts),
    notSeen: [...facts.notSeen],
    tcm: tcmEvidence(facts, TCM, TRC),
    trc: trcEvidence(facts, TRC),
    behavioral: behavioralEvidence(facts, BEHAVIORAL),
    computed: toFhirDateTime(caller.now, zone),
  });
}

async function risksOf(records: Records, { episode, patient }: EvidenceFacts): Promise<TransitionEvidence['risks']> {
  const all = await findReadable(records, 'RiskAssessment', { patient: `Patient/${patient.id}` });
  const own = all.filter(({ identifier }) =>
    identifier?.some(
      ({ system, value }) => system === IDENTIFIER.transitionRisk && value?.startsWith(`${episode.id}|`),
    ),
  );
  return own.map((risk) => {
    const parts = risk.extension?.find(({ url }) => url === EXTENSION.riskScore)?.extension;
    const missing = (risk.extension ?? []).filter(({ url }) => url === EXTENSION.riskMissing);
    return present<TransitionEvidence['risks'][number]>({
      method: risk.method?.coding?.find(({ system }) => system === CODE_SYSTEM.riskMethod)?.code ?? 'unknown',
      points: parts?.find(({ url }) => url === 'total')?.valueInteger,
      band: risk.prediction?.[0]?.qualitativeRisk?.coding?.[0]?.code,
      missing: missing.flatMap(({ valueCodeableConcept }) => valueCodeableConcept?.text ?? []),
      proof: [...proofOf(risk), ...(risk.basis ?? []).flatMap((basis) => linkedOf(basis) ?? [])],
    });
  });
}

// One plan of a case goes on at a time, whoever writes it and through which door. Asked inside the commit, so that of two
// writers at once one is refused. Plans that name the case but are about another patient are none of it.
import type { CarePlan, Resource } from '@medplum/fhirtypes';
import { tokenText } from '../../fhir/search/token-text.ts';
import { type Revision, RevisionRefused, type RevisionRule } from '../../store/revision.ts';
import { idOf } from '../stored.ts';
import { IDENTIFIER } from '../systems.ts';

const GOING_ON: ReadonlySet<string> = new Set(['active', 'on-hold']);

/** At most one CarePlan of a case and its patient is active or on hold. docs/status-machines.md */
export const ONE_PLAN_RULE: RevisionRule = {
  types: new Set(['CarePlan']),
  async check({ before, after, beside, removed, isReborn, find }) {
    const had = isReborn ? new Map<string, Case>() : goingOnFor(before);
    for (const [key, { id, subject }] of goingOnFor(after)) {
      if (had.has(key)) continue;
      const other = await goingOn({ beside, removed, find }, key, { id, subject, own: String(after.id) });
      if (other === undefined) continue;
      const sentence = `The case EpisodeOfCare/${id} has a plan that goes on, ${other}; one at a time does. End that one in the same transaction, or begin with the status draft.`;
      throw new RevisionRefused(sentence, { expression: 'CarePlan.status', tellsOf: other });
    }
  },
};

interface Case {
  readonly id: string;
  /** `Patient/12` */
  readonly subject: string;
}

interface Sought extends Case {
  /** The plan that asks. */
  readonly own: string;
}

/** `CarePlan/12`; of a plan of the same commit that has no id yet, `CarePlan`. */
async function goingOn(
  { beside, removed, find }: Pick<Revision, 'beside' | 'removed' | 'find'>,
  key: string,
  { id, subject, own }: Sought,
): Promise<string | undefined> {
  const written = beside.filter((one) => one.resourceType === 'CarePlan');
  const twin = written.find((one) => goingOnFor(one).has(key));
  if (twin) return twin.id === undefined ? 'CarePlan' : `CarePlan/${twin.id}`;
  const rewritten = new Set([own, ...written.flatMap((one) => one.id ?? [])]);
  const search = { identifier: tokenText(IDENTIFIER.casePlan, id), subject, status: [...GOING_ON].join(',') };
  const stored = await find(`CarePlan?${new URLSearchParams(search)}`);
  const other = stored.find((one) => !rewritten.has(one.id ?? '') && !removed.has(`CarePlan/${one.id}`));
  return other && `CarePlan/${other.id}`;
}

/** The cases whose plan it is while it goes on, by a key of each. */
function goingOnFor(resource: Resource | undefined): ReadonlyMap<string, Case> {
  if (resource?.resourceType !== 'CarePlan' || !GOING_ON.has(resource.status)) return new Map();
  const { identifier = [], subject: about }: CarePlan = resource;
  const patient = idOf(about, 'Patient');
  if (patient === undefined) return new Map();
  const subject = `Patient/${patient}`;
  const ids = identifier.flatMap(({ system, value }) => (system === IDENTIFIER.casePlan && value ? value : []));
  return new Map(ids.map((id) => [`${subject} ${id}`, { id, subject }]));
}

// Opens a case that follows a pathway from its first day: episode, team, plan and everything planned, in one commit.
import type { CarePlan, CareTeam, EpisodeOfCare, Practitioner, Reference } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import type { OpenCase } from '../cases/case-schema.ts';
import { openCase } from '../cases/open-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { membersOf } from './case-team.ts';
import { readFollowRequest } from './follow-request.ts';
import type { Pathways } from './pathways.ts';
import { addToPlan, planPathway } from './plan-pathway.ts';

type Create = Extract<Change, { op: 'create' }>;

/** @throws Fault as opening a case and applying a pathway do; nothing is opened when the pathway cannot be applied */
export async function openCaseOnPathway(
  { records, caller, pathways }: { records: Records; caller: Caller; pathways: Pathways },
  input: OpenCase,
): Promise<Planned> {
  const opened = await openCase(records, caller, input);
  if (!input.pathway) return opened;
  const request = await readFollowRequest(pathways, records, input.pathway);
  const episode = made<EpisodeOfCare>(opened, 'EpisodeOfCare');
  const plan = made<CarePlan>(opened, 'CarePlan');
  const patient = await records.read('Patient', idOf(input.patient, 'Patient') ?? '');
  if (!patient) throw new Error('openCase refuses a patient that cannot be read.');
  const locale = { zone: caller.zone, calendar: pathways.calendar };
  const additions = await planPathway(
    records,
    caller,
    {
      ...request,
      patient,
      episode: { ...episode.resource, id: episode.id },
      plan: { reference: `CarePlan/${plan.id}` },
      team: membersOf({
        patient: input.patient,
        teams: [made<CareTeam>(opened, 'CareTeam').resource],
        manager: input.careManager as Reference<Practitioner> | undefined,
        organization: input.organization,
      }),
    },
    locale,
  );
  const changes = opened.changes.map((change) =>
    change === plan.change
      ? { ...plan.change, resource: addToPlan(plan.resource, additions.applied, locale.zone) }
      : change,
  );
  return { ...opened, changes: [...changes, ...additions.changes] };
}

function made<R extends EpisodeOfCare | CarePlan | CareTeam>({ changes }: Planned, type: R['resourceType']) {
  const change = changes.find((one): one is Create => one.op === 'create' && one.resource.resourceType === type);
  if (!change) throw new Error(`Opening a case makes a ${type}.`);
  return { change, id: change.id ?? '', resource: change.resource as R };
}

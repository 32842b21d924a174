// A nurse and two community partners around one patient: who works where, and tokens for them.
import { type ApiServer, serveApi } from './api-client.ts';

const ROLE = 'https://baton.health/fhir/CodeSystem/care-role';

export interface ReferWorld extends ApiServer {
  readonly nurse: string;
  /** Of the pantry. */
  readonly paula: string;
  /** Of the shelter. */
  readonly sam: string;
  /** Opens a case for a new patient. */
  open(patient: string): Promise<string>;
  /** As the nurse. */
  asNurse(method: 'GET' | 'POST', path: string, body?: object): ReturnType<ApiServer['api']>;
}

export async function referWorld(): Promise<ReferWorld> {
  const baton = await serveApi();
  const person = (id: string, code: string, organization: string) => [
    { resourceType: 'Practitioner', id, name: [{ family: id }] },
    {
      resourceType: 'PractitionerRole',
      id: `${id}-role`,
      active: true,
      practitioner: { reference: `Practitioner/${id}` },
      organization: { reference: `Organization/${organization}` },
      code: [{ coding: [{ system: ROLE, code }] }],
    },
  ];
  await baton.put(
    ...['clinic', 'pantry', 'shelter'].map((id) => ({ resourceType: 'Organization', id, active: true, name: id })),
    ...person('nurse', 'case-manager', 'clinic'),
    ...person('paula', 'community-partner', 'pantry'),
    ...person('sam', 'community-partner', 'shelter'),
  );
  const tokenOf = (id: string) => baton.tokenOf(`Practitioner/${id}`, 'user/*.cruds');
  const [nurse, paula, sam] = await Promise.all([tokenOf('nurse'), tokenOf('paula'), tokenOf('sam')]);
  return {
    ...baton,
    nurse,
    paula,
    sam,
    asNurse: (method, path, body) => baton.api(method, path, { as: nurse, ...(body ? { body } : {}) }),
    async open(patient) {
      await baton.put({ resourceType: 'Patient', id: patient, active: true, name: [{ family: patient }] });
      const answer = await baton.api('POST', '/cases', {
        body: {
          patient: { reference: `Patient/${patient}` },
          careManager: { reference: 'Practitioner/nurse' },
          organization: { reference: 'Organization/clinic' },
        },
      });
      if (answer.status !== 201) throw new Error(answer.text);
      return String(answer.json.id);
    },
  };
}

/** What of the test world the tests of this area look at. */
export interface Shown {
  readonly id: string;
  readonly version: string;
  readonly status: string;
  readonly items: Shown[];
  readonly task: Shown;
  readonly choice: Shown;
  readonly members: Shown[];
  readonly member: { readonly reference: string };
  readonly detail: string;
  readonly current: boolean;
  readonly [name: string]: unknown;
}

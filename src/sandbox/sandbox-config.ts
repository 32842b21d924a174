// What Baton is configured with when nobody configured anything: one hospital, and its EHR next door.

/** The hospital of the scripted day: MSH-4 of its messages. */
export const SANDBOX_FACILITY = {
  code: 'RIVERSIDE',
  name: 'Riverside General Hospital',
  zone: 'America/New_York',
  calendar: 'us-federal',
} as const;

export const SANDBOX_CLIENT_ID = 'baton';

/** @param baseUrl Baton's own, without trailing slash */
export function sandboxConnection(baseUrl: string) {
  const root = `${baseUrl}/sandbox/ehr/hapi`;
  const types = {
    Organization: 'push',
    Location: 'push',
    Practitioner: 'push',
    Patient: 'push',
    RelatedPerson: 'push',
    Coverage: 'push',
    Encounter: 'push',
    Condition: 'push',
    EpisodeOfCare: 'push',
    RiskAssessment: 'push',
    CareTeam: 'push',
    Goal: 'push',
    CarePlan: 'push',
    ServiceRequest: 'push',
    Task: 'both',
  } as const;
  return {
    name: 'hapi',
    baseUrl: `${root}/R4`,
    vendor: 'hapi',
    mode: 'both',
    auth: {
      type: 'smart-backend',
      tokenUrl: `${root}/oauth/token`,
      clientId: SANDBOX_CLIENT_ID,
      scope: 'system/*.cruds',
    },
    types,
    overlapSeconds: 300,
    pullEverySeconds: 60,
  } as const;
}

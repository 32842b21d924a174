// Names of the Subscriptions R5 Backport for R4. https://hl7.org/fhir/uv/subscriptions-backport/
const BASE = 'http://hl7.org/fhir/uv/subscriptions-backport';

export const BACKPORT = {
  profile: `${BASE}/StructureDefinition/backport-subscription`,
  filter: `${BASE}/StructureDefinition/backport-filter-criteria`,
  content: `${BASE}/StructureDefinition/backport-payload-content`,
  heartbeat: `${BASE}/StructureDefinition/backport-heartbeat-period`,
  timeout: `${BASE}/StructureDefinition/backport-timeout`,
  maxCount: `${BASE}/StructureDefinition/backport-max-count`,
  channelType: `${BASE}/StructureDefinition/backport-channel-type`,
  notification: `${BASE}/StructureDefinition/backport-subscription-notification-r4`,
  status: `${BASE}/StructureDefinition/backport-subscription-status-r4`,
  statusOperation: `${BASE}/OperationDefinition/backport-subscription-status`,
  eventsOperation: `${BASE}/OperationDefinition/backport-subscription-events`,
} as const;

export const CONTENTS = ['empty', 'id-only', 'full-resource'] as const;
/** How much of a resource a notification carries. */
export type Content = (typeof CONTENTS)[number];

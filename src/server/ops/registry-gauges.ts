// Numbers of panels and their upkeep for /metrics; how far behind the log they are says baton_log_lag.
import type { GaugeSource } from '../metrics.ts';
import { shared } from './shared.ts';

/** What the registry tells of itself. */
export interface RegistryGauged {
  status(): Promise<{
    readonly members: readonly { readonly panel: string; readonly count: number }[];
    readonly failed: number;
    readonly swept: boolean;
  }>;
}

export function registryGauges(registry: RegistryGauged): GaugeSource[] {
  const look = shared(() => registry.status());
  return [
    {
      name: 'baton_panel_members',
      help: 'Patients who are on the panel.',
      labels: ['panel'],
      read: async () => (await look()).members.map(({ panel, count }) => ({ labels: { panel }, value: count })),
    },
    {
      name: 'baton_panels_failed_total',
      help: 'Evaluations of patients that the rules of panels could not make of the record.',
      labels: [],
      counts: true,
      read: async () => [{ labels: {}, value: (await look()).failed }],
    },
    {
      name: 'baton_panels_swept',
      help: 'Whether everybody has been looked at today.',
      labels: [],
      read: async () => [{ labels: {}, value: (await look()).swept ? 1 : 0 }],
    },
  ];
}

// How the registry fares, for operators: how many are on each panel, who could not be evaluated, how far today's sweep is.
import { membersOn } from '../care/panels/panel-view.ts';
import type { Parts } from './parts.ts';
import { isSwept } from './sweep.ts';

export interface RegistryStatus {
  /** How many are on each panel; a minute old at most. */
  readonly members: readonly { readonly panel: string; readonly count: number }[];
  /** Evaluations of this process that the rules could not make of a record. */
  readonly failed: number;
  /** Whether everybody has been looked at today. */
  readonly swept: boolean;
}

/** Counting a panel walks its members, which no scrape is to wait for each time. */
const COUNTED_FOR = 60_000;

/** @param failed how many evaluations have failed so far */
export function statusOf(parts: Parts, failed: () => number): () => Promise<RegistryStatus> {
  let counted: { readonly at: number; readonly members: Promise<RegistryStatus['members']> } | undefined;
  return async () => {
    const at = parts.clock.real().epochMilliseconds;
    if (!counted || at - counted.at >= COUNTED_FOR) {
      const members = countMembers(parts);
      counted = { at, members };
      members.catch(() => {
        counted = undefined;
      });
    }
    return { members: await counted.members, failed: failed(), swept: await isSwept(parts) };
  };
}

function countMembers({ store, parse, panels }: Parts): Promise<RegistryStatus['members']> {
  return Promise.all(
    panels.panels.map(async (panel) => {
      const query = parse(`Group?${membersOn(panel)}`);
      const { total = 0 } = await store.search({ ...query, count: 0, total: 'accurate' });
      return { panel: panel.code, count: total };
    }),
  );
}

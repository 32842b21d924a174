// The `baton follow-ups` commands: what /ops does about follow-ups, for people at a terminal.

import type { Clock } from './clock.ts';
import type { SearchParameters } from './fhir/search/parameters.ts';
import { countFollowUps } from './server/ops/follow-up-counts.ts';
import type { Actor, Store } from './store/store.ts';
import type { Transitions } from './transitions/transitions.ts';

export interface FollowUpCommandParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly parameters: SearchParameters;
  readonly transitions: Pick<Transitions, 'rewind' | 'replan' | 'watchdog'>;
  readonly actor: Actor;
  readonly print: (text: string) => void;
}

export interface FollowUpCommand {
  readonly words: string;
  readonly does: string;
  run(
    parts: FollowUpCommandParts,
    words: readonly string[],
    options: { readonly seen?: string | undefined },
  ): Promise<void>;
}

export const FOLLOW_UP_COMMANDS: readonly FollowUpCommand[] = [
  {
    words: 'follow-ups rewind',
    does: 'have what the sweep fails at tried again by the next one   [TASK]',
    async run({ transitions, actor, print }, [task]) {
      print(`${await transitions.rewind(actor, task)} follow-ups are tried again by the next sweep`);
    },
  },
  {
    words: 'follow-ups re-plan',
    does: 'show how EPISODE would be planned now; --seen TAG carries it out as it was shown',
    async run({ transitions, print }, [episode = ''], { seen }) {
      print(JSON.stringify(await transitions.replan(episode, seen), null, 2));
    },
  },
  {
    words: 'follow-ups',
    does: 'count what waits, is overdue and fails, for each facility',
    async run({ store, clock, parameters, transitions, print }) {
      const counts = await countFollowUps({ store, clock, parameters, base: () => '' });
      for (const { code, facility, unraised, due, overdue, failing } of counts.facilities) {
        const name = code ?? facility ?? 'no facility';
        print(`${name}: ${due} due, ${overdue} overdue, ${unraised} not raised yet, ${failing} failing`);
      }
      if (counts.isCut) print('There are more; counting stopped at a limit.');
      print(`${counts.undelivered} messages could not be delivered`);
      for (const complaint of await transitions.watchdog.complaints()) print(complaint);
    },
  },
];

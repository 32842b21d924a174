// The story on the terminal: title, what happens as it happens, and how to look for oneself.
import type { Bundle, CarePlan } from '@medplum/fhirtypes';
import type { Clock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import type { Store } from '../../store/store.ts';
import type { DayProgress } from '../day-progress.ts';
import type { CallEhr } from '../nurse.ts';
import { counted } from './facts.ts';
import { narrate } from './narrator.ts';
import { createPage, localMoment } from './page.ts';
import { statusLines } from './status.ts';

export interface StoryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly progress: DayProgress;
  readonly facility: string;
  readonly zone: string;
  readonly baseUrl: () => string;
  readonly issueToken: () => Promise<string>;
  /** How to sign in, for who tries an application. */
  readonly signIn: readonly string[];
  readonly write: (text: string) => void;
}

export interface Story {
  begin(): void;
  /** Tells what the log has grown by. */
  catchUp(): Promise<void>;
  /** Says that a plan is in the EHR, having looked there. @throws Fault not-found when it is not */
  showInEhr(planId: string, call: CallEhr, ehrBase: string): Promise<void>;
  /** Says why the day does not go on yet. */
  wait(reason: string): void;
  /** Writes the whole end, or nothing when it fails, so that it can be tried again. */
  end(): Promise<void>;
}

export function createStory(options: StoryOptions): Story {
  const { store, clock, progress, zone, baseUrl } = options;
  const page = createPage(options.write, zone);
  const link = (type: string, id: string) => `${baseUrl()}/fhir/R4/${type}/${id}`;
  return {
    begin() {
      page.say('');
      if (progress.resumed) page.say(`The Baton sandbox continues at ${localMoment(clock.now(), zone)} (${zone}).`);
      else page.say(`Baton sandbox: ${options.facility}, ${zone}. Everybody in it is fictional.`);
      page.say('');
    },

    async catchUp() {
      const head = await store.head();
      while (progress.told() < head) {
        const entries = await store.readLog(progress.told(), 500);
        const last = entries.at(-1);
        if (!last) return;
        for (const happening of await narrate(entries, { store, zone, link })) page.tell(happening);
        progress.tellUpTo(last.sequence);
      }
    },

    async showInEhr(planId, call, ehrBase) {
      const identifier = encodeURIComponent(`${baseUrl()}/id|${planId}`);
      const { status, body } = await call('GET', `/CarePlan?identifier=${identifier}`);
      const plan = status === 200 ? (body as Bundle<CarePlan>).entry?.[0]?.resource : undefined;
      if (!plan) throw new Fault('not-found', `The EHR does not have CarePlan ${planId} yet (HTTP ${status}).`);
      const activities = counted(plan.activity?.length ?? 0, 'activity').replace(/activitys$/, 'activities');
      page.tell({
        at: clock.now(),
        text: `The hospital's EHR has the plan with its ${activities}.`,
        link: `${ehrBase}/CarePlan/${plan.id}`,
      });
    },

    wait(reason) {
      page.say(`            ...    ${reason} Baton goes on trying.`);
    },

    async end() {
      const token = await options.issueToken();
      const status = await statusLines(store, zone, link);
      page.say('');
      page.say(`Now it is ${localMoment(clock.now(), zone)} in the sandbox:`);
      for (const line of status) page.say(line);
      page.say('');
      page.say('Look for yourself (the token is short-lived):');
      page.say(`  TOKEN=${token}`);
      page.say(`  curl -H "Authorization: Bearer ${token}" '${baseUrl()}/fhir/R4/Task?status=requested&_sort=due'`);
      page.say(`  curl -H "Authorization: Bearer $TOKEN" -d '{"advance":"P1D"}' ${baseUrl()}/sandbox/clock`);
      page.say('');
      for (const line of options.signIn) page.say(line);
      page.say('');
      page.say('Baton stays up; Ctrl-C stops it.');
    },
  };
}

// Tells operators of alerts by their channels, at once and at any hour. At least once: a process that dies between the answer
// and the commit tells again, under the same id.
import { hostname } from 'node:os';
import { derivedId } from '../care/derived-id.ts';
import { type AlertRow, readUntoldAlerts, tellAlert } from '../store/alert.ts';
import { withLease } from '../store/lease.ts';
import { ACTOR, type Parcel, type Parts, sendUnlessEnding } from './parts.ts';

const LEASE = Temporal.Duration.from({ seconds: 30 });
/** Older alerts are history: who is named as an operator today is not told of last week's. */
const LOOK_BACK = Temporal.Duration.from({ hours: 24 });

/** Takes the alerts that the store has to the operators; one process at a time. What no channel takes is tried at the next tick. */
export async function tellOperators(parts: Parts): Promise<void> {
  const { store, clock, settings } = parts;
  const untold = () => readUntoldAlerts(store, clock.real().subtract(LOOK_BACK).epochMilliseconds);
  if (!settings.operators || (await untold()).length === 0) return;
  await withLease(store, clock, 'notify-operators', LEASE, async ({ fence, signal }) => {
    for (const { id, at, ...alert } of await untold()) {
      if (signal.aborted) return;
      if (!(await carry(parts, alert, id, Temporal.Instant.fromEpochMilliseconds(at)))) return;
      await store.commit(ACTOR, [], [tellAlert(id, clock.real().epochMilliseconds), fence]);
    }
  });
}

/**
 * Takes an alert that the store cannot keep.
 * @param at when it began, epoch milliseconds
 * @returns whether a channel has taken it, or nobody is to be told
 */
export function tellOperator(parts: Parts, alert: AlertRow, at: number): Promise<boolean> {
  const id = derivedId('alert', hostname(), alert.event, String(at));
  return carry(parts, alert, id, Temporal.Instant.fromEpochMilliseconds(at));
}

async function carry(parts: Parts, alert: AlertRow, id: string, at: Temporal.Instant): Promise<boolean> {
  const { operators, channels } = parts.settings;
  if (!operators || !(operators.alerts?.includes(alert.event) ?? true)) return true;
  for (const name of operators.channels) {
    const kind = channels.find((channel) => channel.name === name)?.kind;
    const addresses = kind === 'email' ? (operators.addresses ?? []) : [''];
    const taken = await Promise.all(addresses.map((address) => send(parts, name, parcelOf(alert, id, address, at))));
    if (taken.includes(true)) return true;
  }
  return false;
}

async function send({ send, log, ending }: Parts, channel: string, parcel: Parcel): Promise<boolean> {
  try {
    const sendParcel = send.get(channel);
    if (sendParcel) await sendUnlessEnding(sendParcel, parcel, ending);
    return true;
  } catch (error) {
    log.warn({ channel, alert: parcel.type, sentence: (error as Error).message }, 'operators could not be told');
    return false;
  }
}

/** The id of a patient stays here; `/ops/alerts` has it. */
const withoutPatients = (detail: string) => detail.replaceAll(/\bPatient\/[\w.-]+/g, 'a Patient');

function parcelOf(alert: AlertRow, id: string, address: string, at: Temporal.Instant): Parcel {
  const { subject, event } = alert;
  const detail = withoutPatients(alert.detail);
  const began = at.toString({ smallestUnit: 'second' });
  return {
    ...{ id, address, type: event },
    data: { alert: { id, about: subject, event, detail, at: began, host: hostname() } },
    subject: `Baton: ${event}`,
    text: `${event} at ${began}, about ${subject}, told by ${hostname()}.\n${detail}\nWhat to do: docs/operations.md.`,
  };
}

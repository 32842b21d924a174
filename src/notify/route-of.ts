// Which way a message takes: the first route that fits, its channels in their order, and the supervisor at the end.
import type { CommunicationRequest, Task } from '@medplum/fhirtypes';
import { derivedId } from '../care/derived-id.ts';
import { idOf, readResource } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { type MailAddress, mailAddressesOf } from './addresses.ts';
import { isUrgent, reasonOf } from './message.ts';
import type { NewRow } from './notification-rows.ts';
import type { Facility, Parts } from './parts.ts';
import { sendTime } from './send-time.ts';
import type { Channel, Route } from './settings.ts';

interface Stage {
  readonly channel: Channel;
  readonly addresses: readonly string[] | undefined;
}

/**
 * Rows for the first channel from `step` on that has somewhere to send to; one that is undelivered when none has.
 * @returns none when no route fits, unless it was on its way already: then nobody is left to send it to
 */
export async function rowsOf(parts: Parts, asked: CommunicationRequest, step: number): Promise<NewRow[]> {
  const { store, settings, clock } = parts;
  const request = asked.id ?? '';
  const { code: facility, zone } = await facilityOf(parts, asked);
  const route = settings.routes.find((one) => fits(one, asked, facility));
  if (!route && step === 0) return [];
  const stages = route ? stagesOf(route, settings.channels) : [];
  const urgent = isUrgent(asked);
  const base = { request, facility, urgent };
  for (const [at, { channel, addresses }] of stages.entries()) {
    if (at < step) continue;
    const when = { now: clock.now(), zone };
    const rows = (await recipientsOf(store, asked, { channel, addresses }, when)).map(
      ({ address, zone: own = zone }): NewRow => {
        const nextAt = sendTime(channel, urgent, own, clock.real()).epochMilliseconds;
        const id = derivedId('notification', request, String(at), channel.name, address);
        return { ...base, id, step: at, channel: channel.name, address, nextAt, state: 'waiting' };
      },
    );
    if (rows.length > 0) return rows;
  }
  const last = stages.at(-1)?.channel.name ?? '';
  const id = derivedId('notification', request, 'undelivered');
  const detail = 'No channel is left, or no recipient has an address.';
  const nextAt = clock.real().epochMilliseconds;
  return [
    {
      ...base,
      id,
      step: Math.max(step, stages.length),
      channel: last,
      address: '',
      nextAt,
      state: 'undelivered',
      detail,
    },
  ];
}

/** One without an address for a channel that has its own. */
async function recipientsOf(
  store: Parts['store'],
  { recipient = [] }: CommunicationRequest,
  { channel, addresses }: Stage,
  when: Parameters<typeof mailAddressesOf>[2],
): Promise<readonly MailAddress[]> {
  if (channel.kind !== 'email') return [{ address: '' }];
  return addresses?.map((address) => ({ address })) ?? mailAddressesOf(store, recipient, when);
}

function stagesOf({ channels, addresses, supervisor }: Route, known: readonly Channel[]): Stage[] {
  const wanted = channels.map((name) => ({ name, addresses }));
  const all = supervisor ? [...wanted, { name: supervisor.channel, addresses: supervisor.addresses }] : wanted;
  return all.flatMap(({ name, addresses }) => {
    const channel = known.find((one) => one.name === name);
    return channel ? [{ channel, addresses }] : [];
  });
}

function fits({ facilities, reasons, recipients }: Route, asked: CommunicationRequest, facility: string): boolean {
  const told = (asked.recipient ?? []).map(({ reference }) => reference ?? '');
  return (
    (facilities?.includes(facility) ?? true) &&
    (reasons?.includes(reasonOf(asked)) ?? true) &&
    (recipients?.some((one) => told.includes(one)) ?? true)
  );
}

const ELSEWHERE: Facility = { code: '*', zone: 'UTC' };

/** The facility that asked for the follow-up. */
async function facilityOf({ store, facilities }: Parts, asked: CommunicationRequest): Promise<Facility> {
  const otherwise = facilities.find(({ code }) => code === '*') ?? facilities[0] ?? ELSEWHERE;
  const task: Task | undefined = await readResource(store, 'Task', idOf(asked.about?.[0], 'Task'));
  const organization = await readResource(store, 'Organization', idOf(task?.requester, 'Organization'));
  const code = organization?.identifier?.find(({ system }) => system === IDENTIFIER.facility)?.value;
  return facilities.find((one) => one.code === code) ?? otherwise;
}

// Reaching people about follow-ups: what leaves, to whom, when, how often, and what is kept of it.
import { join } from 'node:path';
import type { CareTeam, ContactPoint, Practitioner, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readResource } from '../../src/care/stored.ts';
import { mailAddressesOf } from '../../src/notify/addresses.ts';
import { notifyProblems } from '../../src/notify/check-settings.ts';
import { createNotify, type Notify } from '../../src/notify/notify.ts';
import { sendTime } from '../../src/notify/send-time.ts';
import type { Channel, NotifySettings, Route } from '../../src/notify/settings.ts';
import { loadTemplates } from '../../src/notify/templates.ts';
import { failingAmong } from '../../src/server/ops/follow-up-failing.ts';
import { discharged, FACILITIES, type Hospital, openHospital } from '../transitions/hospital.ts';
import { startHook, startMail } from './receivers.ts';

const SECRET = `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`;
const templates = loadTemplates(join(import.meta.dirname, '../../profiles/notifications'));
/** Of the patient and her daughter. */
const PERSONAL = ['Sample', 'Ann', 'Daughter', 'Patient/', 'RelatedPerson', 'I50', 'ann'];

let hook: Awaited<ReturnType<typeof startHook>>;
let mail: Awaited<ReturnType<typeof startMail>>;
let hospital: Hospital;
let real: Temporal.Instant;

beforeAll(async () => {
  [hook, mail] = await Promise.all([startHook(), startMail()]);
});
afterAll(async () => {
  await hook.close();
  await mail.close();
});
beforeEach(async () => {
  hook.posted.length = 0;
  hook.answer();
  hook.beforeAnswer(async () => undefined);
  mail.mails.length = 0;
  hospital = await openHospital();
  // Friday 14:05 in New York.
  real = Temporal.Instant.from('2026-11-20T19:05:00Z');
  await hospital.put({
    resourceType: 'Practitioner',
    id: 'manager',
    telecom: [
      { system: 'email', use: 'home', value: 'home@manager.example' },
      { system: 'email', use: 'work', value: 'manager@hospital.example' },
    ],
  });
  await hospital.put(discharged());
  await hospital.run();
  for (const task of Object.values(await hospital.followUps())) {
    await hospital.put({ ...task, owner: { reference: 'Practitioner/manager' } });
  }
});
afterEach(() => hospital.temp.cleanup());

const webhook = (more: Partial<Channel> = {}): Channel =>
  ({
    name: 'pager',
    kind: 'webhook',
    url: hook.url,
    secret: SECRET,
    attempts: 2,
    digestMinutes: 0,
    ...more,
  }) as Channel;
const email = (more: Partial<Channel> = {}): Channel =>
  ({ name: 'mail', attempts: 2, digestMinutes: 0, ...mail.settings, ...more }) as Channel;

async function opened(channels: Channel[], ...routes: Route[]): Promise<Notify> {
  const settings: NotifySettings = { channels, routes };
  const notify = createNotify({
    store: hospital.store,
    clock: { now: () => real, real: () => real },
    log: pino({ level: 'silent' }),
    settings,
    facilities: FACILITIES,
    templates,
    baseUrl: 'https://baton.example',
    fetch,
  });
  await notify.tick();
  return notify;
}

const later = (minutes: number) => {
  real = real.add({ minutes });
};
const rows = async () =>
  (await hospital.store.query('SELECT channel, address, state, attempts FROM notification ORDER BY step, id')).map(
    ({ channel, address, state, attempts }) => `${channel} ${address} ${state} ${attempts}`,
  );
/** Raises what is due on Monday morning: four follow-ups. */
const raise = (at = '2026-11-23T15:00:00Z') => {
  hospital.at(at);
  return hospital.transitions.tick();
};

describe('a webhook', () => {
  it('gets each reminder once, signed, with ids and a link and nothing about the person', async () => {
    const notify = await opened([webhook()], { channels: ['pager'] });
    await raise('2026-11-20T19:06:00Z');
    await Promise.all([notify.tick(), notify.tick()]);
    await notify.tick();
    expect(hook.posted).toHaveLength(1);
    const [{ headers, body }] = hook.posted as [(typeof hook.posted)[number]];
    const signed = new Webhook(SECRET);
    // Its clock says 2026; the library compares with the machine's.
    const id = headers['webhook-id'] ?? '';
    const at = new Date(Number(headers['webhook-timestamp']) * 1000);
    expect(signed.sign(id, at, body)).toBe(headers['webhook-signature']);
    const task = (await hospital.followUps())['notify-pcp'] as Task;
    expect(JSON.parse(body)).toMatchObject({
      type: 'follow-up-due',
      data: {
        notices: [
          {
            id,
            task: `Task/${task.id}`,
            step: 'notify-pcp',
            due: '2026-11-21T14:00:00-05:00',
            facility: 'RIVER',
            link: `https://baton.example/fhir/R4/Task/${task.id}`,
          },
        ],
      },
    });
    for (const word of PERSONAL) expect(body).not.toContain(word);
    expect(await rows()).toEqual(['pager  sent 1']);
    const [told, ...others] = await hospital.all('Communication');
    expect(others).toEqual([]);
    expect(told).toMatchObject({
      status: 'completed',
      identifier: [{ value: id }],
      about: [{ reference: `Task/${task.id}` }],
      subject: { reference: 'Patient/ann' },
      sent: '2026-11-20T19:05:00Z',
    });
  });

  it('gets nothing anew when a plan takes over the follow-up, even once the rows of what was sent are gone', async () => {
    const notify = await opened([webhook()], { channels: ['pager'] });
    await raise('2026-11-20T19:06:00Z');
    await notify.tick();
    expect(hook.posted).toHaveLength(1);
    await hospital.sql('DELETE FROM notification');
    const [episode] = await hospital.episodes();
    const { tag } = await hospital.transitions.replan(episode?.id ?? '');
    await hospital.transitions.replan(episode?.id ?? '', tag);
    await hospital.transitions.tick();
    await notify.tick();
    expect(hook.posted).toHaveLength(1);
  });

  it('that Baton dies at gets it again under the same id', async () => {
    const notify = await opened([webhook()], { channels: ['pager'] });
    await raise('2026-11-20T19:06:00Z');
    hook.beforeAnswer(() => hospital.temp.store.close());
    await expect(notify.tick()).rejects.toThrow();
    hook.beforeAnswer(async () => undefined);
    await hospital.restart();
    later(1);
    const again = await opened([webhook()], { channels: ['pager'] });
    await again.tick();
    const ids = hook.posted.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(await hospital.all('Communication')).toHaveLength(1);
  });

  it('that redirects is not followed, and is tried again later', async () => {
    const notify = await opened([webhook()], { channels: ['pager'] });
    await raise('2026-11-20T19:06:00Z');
    hook.answer(302);
    await notify.tick();
    await notify.tick();
    expect(hook.posted).toHaveLength(1);
    expect((await hospital.store.query('SELECT detail FROM notification'))[0]?.detail).toBe(
      'The webhook answered 302.',
    );
    later(2);
    await notify.tick();
    expect(await rows()).toEqual(['pager  sent 2']);
  });
});

it('a webhook that hangs is not waited for when Baton stops, and gets it after the restart', async () => {
  const notify = await opened([webhook()], { channels: ['pager'] });
  await raise('2026-11-20T19:06:00Z');
  const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hook.beforeAnswer(async () => {
    asked.resolve();
    await released.promise;
  });
  const beat = notify.tick();
  await asked.promise;
  notify.stop();
  await beat;
  expect(await rows()).toEqual(['pager  waiting 0']);
  hook.beforeAnswer(async () => undefined);
  released.resolve();
  await (await opened([webhook()], { channels: ['pager'] })).tick();
  expect(await rows()).toEqual(['pager  sent 1']);
  expect(new Set(hook.posted.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

describe('a reminder that cannot be read', () => {
  it('is passed over after a while and told to the operators; those behind it go out', async () => {
    const notify = await opened([webhook()], { channels: ['pager'] });
    const odd = { resourceType: 'CommunicationRequest', id: 'odd', status: 'active' } as const;
    await hospital.put({ ...odd, subject: { reference: 'Patient/ann' } });
    await hospital.sql("UPDATE version SET content = '{' WHERE type = 'CommunicationRequest' AND id = 'odd'");
    await raise('2026-11-20T19:06:00Z');
    for (let beat = 0; beat < 10; beat += 1) await notify.tick().catch(() => undefined);
    expect(hook.posted).toHaveLength(1);
    const alerts = await hospital.store.query("SELECT detail FROM alert WHERE event = 'notify.passed-over'");
    expect(alerts).toEqual([{ detail: expect.stringContaining('CommunicationRequest/odd, version 1') }]);
  });
});

describe('what a channel cannot deliver', () => {
  it('goes to the next one, then to the supervisor, then to the operators, until it is settled', async () => {
    const dead = email({ name: 'dead', port: 1 });
    const notify = await opened([webhook(), dead, email({ name: 'boss', port: 1 })], {
      channels: ['pager', 'dead'],
      supervisor: { channel: 'boss', addresses: ['supervisor@hospital.example'] },
    });
    await raise('2026-11-20T19:06:00Z');
    hook.answer(500, 500);
    for (let n = 0; n < 8; n += 1) {
      await notify.tick();
      later(5);
    }
    expect(await rows()).toEqual([
      'pager  failed 2',
      'dead manager@hospital.example failed 2',
      'boss supervisor@hospital.example failed 2',
      'boss  undelivered 0',
    ]);
    await hospital.transitions.watchdog.look();
    expect((await hospital.transitions.watchdog.complaints()).join()).toContain('1 messages');
    await hospital.complete('notify-pcp');
    await hospital.run();
    await notify.tick();
    expect((await rows()).at(-1)).toBe('boss  dropped 0');
    await hospital.transitions.watchdog.look();
    const alerts = await hospital.store.query("SELECT event FROM alert WHERE event LIKE 'notifications%'");
    expect(alerts.map(({ event }) => event).sort()).toEqual(['notifications.delivered', 'notifications.undelivered']);
  });

  it('is dropped when the follow-up is done before', async () => {
    const notify = await opened([webhook()], { channels: ['pager'] });
    await raise('2026-11-20T19:06:00Z');
    hook.answer(500);
    await notify.tick();
    await hospital.complete('notify-pcp');
    await hospital.run();
    later(5);
    await notify.tick();
    expect(hook.posted).toHaveLength(1);
    expect(await rows()).toEqual(['pager  dropped 1']);
  });
});

describe('e-mail', () => {
  it('goes over TLS to the work address, several in one, with nothing about the person', async () => {
    const notify = await opened([email({ digestMinutes: 15 })], { channels: ['mail'] });
    // Nothing urgent: the visit and the reconciliation.
    await hospital.complete('contact');
    await hospital.complete('notify-pcp');
    await raise();
    await notify.tick();
    expect(mail.mails).toEqual([]);
    later(16);
    await notify.tick();
    expect(mail.mails).toHaveLength(1);
    const [text = ''] = mail.mails;
    expect(text).toMatch(/^manager@hospital\.example\n/);
    expect(text).toContain('Subject: Follow-ups to do: 2');
    expect(text).toContain('https://baton.example/fhir/R4/Task/');
    for (const word of PERSONAL) expect(text).not.toContain(word);
    expect(await rows()).toEqual(['mail manager@hospital.example sent 1', 'mail manager@hospital.example sent 1']);
    expect(await hospital.all('Communication')).toHaveLength(2);
  });

  it('goes to those of a team who are on it now, and to nobody who has left the house', async () => {
    const told = async (participant: CareTeam['participant']) => {
      const [team] = await hospital.all('CareTeam');
      await hospital.put({ ...(team as CareTeam), participant });
      const recipient = [{ reference: `CareTeam/${team?.id}` }];
      const when = { now: real, zone: 'America/New_York' };
      return (await mailAddressesOf(hospital.store, recipient, when)).map(({ address }) => address);
    };
    const telecom: ContactPoint[] = [{ system: 'email', use: 'work', value: 'left@hospital.example' }];
    await hospital.put({ resourceType: 'Practitioner', id: 'left', active: false, telecom });
    await hospital.put({
      resourceType: 'PractitionerRole',
      id: 'past',
      practitioner: { reference: 'Practitioner/manager' },
      period: { end: '2026-11-19' },
      telecom,
    });
    const member = { reference: 'Practitioner/manager' };
    await hospital.put({ resourceType: 'PractitionerRole', id: 'present', practitioner: member });
    expect(await told([{ member, period: { start: '2026-11-20', end: '2026-11-20' } }])).toEqual([
      'manager@hospital.example',
    ]);
    expect(await told([{ member, period: { end: '2026-11-19' } }])).toEqual([]);
    expect(await told([{ member, period: { start: '2026-11-21' } }])).toEqual([]);
    const gone = ['Practitioner/left', 'PractitionerRole/past'].map((reference) => ({ member: { reference } }));
    expect(await told(gone)).toEqual([]);
  });

  it('of one all of whose roles are over goes to whoever stands in, and to the supervisor of the route when nobody has an address', async () => {
    const over = {
      resourceType: 'PractitionerRole',
      id: 'over',
      practitioner: { reference: 'Practitioner/manager' },
    } as const;
    await hospital.put({ ...over, active: false });
    const when = { now: real, zone: 'America/New_York' };
    expect(await mailAddressesOf(hospital.store, [{ reference: 'Practitioner/manager' }], when)).toEqual([]);
    const notify = await opened([email()], {
      channels: ['mail'],
      supervisor: { channel: 'mail', addresses: ['supervisor@hospital.example'] },
    });
    await raise('2026-11-20T19:06:00Z');
    await notify.tick();
    expect(await rows()).toEqual(['mail supervisor@hospital.example sent 1']);
  });

  it('that nobody can get is undelivered at once, and operators are told', async () => {
    await hospital.put({ resourceType: 'Practitioner', id: 'manager', active: false });
    const notify = await opened([email()], { channels: ['mail'] });
    await raise('2026-11-20T19:06:00Z');
    await notify.tick();
    expect(await rows()).toEqual(['mail  undelivered 0']);
    const task = (await hospital.followUps())['notify-pcp'] as Task;
    const failing = await failingAmong({ store: hospital.store, clock: { now: () => real, real: () => real } }, [task]);
    expect(failing.get(task.id ?? '')).toContain('could not be delivered to anybody');
    await hospital.transitions.watchdog.look();
    expect((await hospital.transitions.watchdog.complaints()).join()).toContain('1 messages');
  });

  it('is not sent to a server that shows another certificate', async () => {
    const { caFile: _, ...untrusted } = mail.settings;
    const notify = await opened([{ name: 'mail', attempts: 2, digestMinutes: 0, ...untrusted }], {
      channels: ['mail'],
    });
    await raise('2026-11-20T19:06:00Z');
    await notify.tick();
    expect(mail.mails).toEqual([]);
    expect(await rows()).toEqual(['mail manager@hospital.example waiting 1']);
  });

  it('in quiet hours waits for the morning unless it is urgent', async () => {
    const quiet = { from: '20:00', until: '07:00' };
    const notify = await opened([email({ quiet })], { channels: ['mail'] });
    // Friday 23:00 in New York.
    real = Temporal.Instant.from('2026-11-21T04:00:00Z');
    await raise();
    await notify.tick();
    expect(mail.mails.map((text) => /Task\/[\w-]+/.exec(text)?.[0])).toEqual([
      `Task/${(await hospital.followUps()).contact?.id}`,
    ]);
    real = Temporal.Instant.from('2026-11-21T11:59:00Z');
    await notify.tick();
    expect(mail.mails).toHaveLength(1);
    real = Temporal.Instant.from('2026-11-21T12:00:00Z');
    await notify.tick();
    expect(mail.mails.length).toBeGreaterThan(1);
  });

  it.each([
    ['America/Los_Angeles', 'waits for the morning of who is told', 0],
    ['Mars/Olympus', 'goes by the clock of the facility when theirs is none', 1],
  ])('with quiet hours, in %s, %s', async (valueCode, _, sent) => {
    const manager = await readResource(hospital.store, 'Practitioner', 'manager');
    const url = 'http://hl7.org/fhir/StructureDefinition/timezone';
    await hospital.put({ ...(manager as Practitioner), extension: [{ url, valueCode }] });
    const notify = await opened([email({ quiet: { from: '20:00', until: '07:00' } })], { channels: ['mail'] });
    await hospital.complete('contact');
    await hospital.complete('notify-pcp');
    // Monday 07:30 in New York, 04:30 in Los Angeles.
    real = Temporal.Instant.from('2026-11-23T12:30:00Z');
    await raise();
    await notify.tick();
    expect(Math.min(1, mail.mails.length)).toBe(sent);
    real = Temporal.Instant.from('2026-11-23T15:00:00Z');
    await notify.tick();
    expect(mail.mails.length).toBeGreaterThan(0);
  });
});

it.each([
  ['at noon', '2026-11-20T17:00:00Z', '2026-11-20T17:00:00Z'],
  ['in the evening', '2026-11-21T03:00:00Z', '2026-11-21T12:00:00Z'],
  ['after midnight', '2026-11-21T08:00:00Z', '2026-11-21T12:00:00Z'],
  ['as the night ends', '2026-11-21T12:00:00Z', '2026-11-21T12:00:00Z'],
  // In that night clocks go forward: seven o'clock is 11:00Z.
  ['in the night of 14 March 2027', '2027-03-14T03:00:00Z', '2027-03-14T11:00:00Z'],
])('what is ready %s leaves when the quiet hours allow', (_, ready, leaves) => {
  const channel = { digestMinutes: 0, quiet: { from: '20:00', until: '07:00' } };
  const at = sendTime(channel, false, 'America/New_York', Temporal.Instant.from(ready));
  expect(at.toString()).toBe(leaves);
  expect(sendTime(channel, true, 'America/New_York', Temporal.Instant.from(ready)).toString()).toBe(ready);
});

it.each([
  ['an http URL', { url: 'http://example.org/hook' }, 'needs an https URL'],
  ['a password in the URL', { url: 'https://user:pass@example.org/hook' }, 'needs an https URL'],
  ['a short secret', { secret: 'whsec_abc' }, 'needs a secret of Standard Webhooks'],
])('a webhook with %s is refused', (_, more, sentence) => {
  const channel = { ...webhook(), url: 'https://example.org/hook', ...more } as Channel;
  expect(notifyProblems({ channels: [channel], routes: [] }).join()).toContain(sentence);
});

it('a route to a channel that there is not is refused', () => {
  expect(notifyProblems({ channels: [], routes: [{ channels: ['pigeon'] }] })).toEqual([
    'a route names the channel "pigeon", which there is not.',
  ]);
});

it('operators need a channel that there is, and addresses where it is mail', () => {
  const settings = { channels: [email()], routes: [], operators: { channels: ['mail', 'pigeon'] } };
  expect(notifyProblems(settings)).toEqual([
    'operators name the channel "pigeon", which there is not.',
    'operators need addresses for the channel "mail".',
  ]);
});

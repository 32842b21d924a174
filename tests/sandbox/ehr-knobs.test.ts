// Every knob of the simulated servers: what it does to who asks.
import { readFileSync } from 'node:fs';
import type { Bundle, CapabilityStatement, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseHttpDate } from '../../src/fhir/http-date.ts';
import { type Knobs, quietKnobs } from '../../src/sandbox/ehr/simulator/knobs.ts';
import { codeOf, matches, nextOf, noticesOf, simulate, type World } from './simulated-ehr.ts';

let hapi: World;
beforeEach(async () => {
  hapi = await simulate('hapi', {}, 5);
});
afterEach(() => hapi.close());

const task = (value: string): Task => ({
  resourceType: 'Task',
  identifier: [{ system: 'urn:test', value }],
  status: 'requested',
  intent: 'order',
});
const add = async (value: string) => (await hapi.call<Task>('POST', '/Task', task(value))).body;
const tasks = () => hapi.ids('/Task?_sort=_lastUpdated');

describe('time', () => {
  it('lateVisibility: a write is seen later, with the time at which it was written', async () => {
    hapi.turn({ lateVisibility: 20 });
    const late = await add('late');
    hapi.turn({ lateVisibility: 0 });
    hapi.advance({ seconds: 5 });
    const prompt = await add('prompt');
    expect(await hapi.ids('/Task?identifier=urn:test|late,urn:test|prompt')).toEqual([prompt.id]);
    expect((await hapi.call('GET', `/Task/${late.id}`)).status).toBe(200);
    hapi.advance({ seconds: 20 });
    expect(await hapi.ids('/Task?identifier=urn:test|late,urn:test|prompt')).toEqual([late.id, prompt.id]);
    expect(String(late.meta?.lastUpdated) < String(prompt.meta?.lastUpdated)).toBe(true);
  });

  it('timestamps: whole seconds, or all the same', async () => {
    hapi.turn({ timestamps: 'second' });
    expect((await add('a')).meta?.lastUpdated).toMatch(/T\d\d:\d\d:\d\dZ$/);
    hapi.turn({ timestamps: 'equal' });
    const first = await add('b');
    hapi.advance({ minutes: 3 });
    expect((await add('c')).meta?.lastUpdated).toBe(first.meta?.lastUpdated);
    hapi.turn({ timestamps: 'millisecond' });
    expect(String((await add('d')).meta?.lastUpdated) > String(first.meta?.lastUpdated)).toBe(true);
  });
});

describe('pages', () => {
  const url = '/Task?_sort=_lastUpdated&_count=2';

  it('repeatAcrossPages: entries come again', async () => {
    hapi.turn({ repeatAcrossPages: 1 });
    expect(await hapi.ids(url)).toEqual(['task-1', 'task-2', 'task-2', 'task-3', 'task-4', 'task-4', 'task-5']);
  });

  it('shiftingPages: a write in between makes a reader miss one', async () => {
    hapi.turn({ shiftingPages: true });
    const { body } = await hapi.search(url);
    const read = (await hapi.call<Task>('GET', '/Task/task-1')).body;
    await hapi.call('PUT', '/Task/task-1', { ...read, status: 'completed' });
    const rest = await hapi.ids(nextOf(body) ?? '');
    expect(rest).toEqual(['task-4', 'task-5', 'task-1']);
  });

  it('pagesLive and expireNext: a next link is gone', async () => {
    const next = nextOf((await hapi.search(url)).body) ?? '';
    hapi.turn({ expireNext: 1 });
    expect((await hapi.call('GET', next)).status).toBe(410);
    expect((await hapi.call('GET', next)).status).toBe(200);
    hapi.turn({ pagesLive: 60 });
    hapi.advance({ seconds: 61 });
    expect((await hapi.call('GET', next)).status).toBe(410);
  });

  it('foreignNext: a next link leads to somebody else', async () => {
    hapi.turn({ foreignNext: 'https://elsewhere.example' });
    expect(nextOf((await hapi.search(url)).body)).toMatch(/^https:\/\/elsewhere\.example\/fhir\?_getpages=/);
  });

  it('nextLoop: a next link leads back to its own page', async () => {
    hapi.turn({ nextLoop: true });
    const second = nextOf((await hapi.search(url)).body) ?? '';
    expect(nextOf((await hapi.search(second)).body)).toBe(second);
  });

  it('emptyLastPage: the last page is empty', async () => {
    hapi.turn({ emptyLastPage: true });
    const next = nextOf((await hapi.search('/Task?_count=5')).body) ?? '';
    const { body } = await hapi.search(next);
    expect([matches(body), nextOf(body)]).toEqual([[], undefined]);
  });

  it('partialBundles: an outcome is where a resource was', async () => {
    hapi.turn({ partialBundles: 1 });
    const { body } = await hapi.search(url);
    expect([matches(body), noticesOf(body)]).toEqual([[], ['processing', 'processing']]);
  });
});

describe('mishaps', () => {
  const status = async () => (await hapi.call('GET', '/Task/task-1')).status;

  it.each([409, 412, 423, 424, 429, 500, 503])('status %i, as often as asked', async (code) => {
    hapi.turn({ mishaps: [{ do: 'status', status: code, count: 2 }] });
    expect([await status(), await status(), await status()]).toEqual([code, code, 200]);
  });

  it('only to the requests that are named', async () => {
    hapi.turn({ mishaps: [{ do: 'status', status: 500, on: 'write', type: 'Task' }] });
    expect(await status()).toBe(200);
    expect((await hapi.call('POST', '/Patient', { resourceType: 'Patient' })).status).toBe(201);
    expect((await hapi.call('POST', '/Task', task('x'))).status).toBe(500);
    expect(await hapi.ids('/Task?identifier=urn:test|x')).toEqual([]);
  });

  it('Retry-After in both forms', async () => {
    hapi.turn({ mishaps: [{ do: 'status', status: 429, retryAfter: 7, count: 1 }] });
    expect((await hapi.call('GET', '/Task/task-1')).headers.get('retry-after')).toBe('7');
    hapi.turn({ mishaps: [{ do: 'status', status: 503, retryAfter: 90, retryAsDate: true }] });
    const { headers } = await hapi.call('GET', '/Task/task-1');
    const [date, until] = ['date', 'retry-after'].map((name) => parseHttpDate(headers.get(name) ?? ''));
    expect(date?.until(until as Temporal.Instant).total('seconds')).toBeGreaterThanOrEqual(89);
  });

  it('drop: before the effect, and after it', async () => {
    hapi.turn({ mishaps: [{ do: 'drop', on: 'write', count: 1 }] });
    await expect(hapi.call('POST', '/Task', task('one'))).rejects.toThrow();
    hapi.turn({ mishaps: [{ do: 'drop', on: 'write', effect: 'after', count: 1 }] });
    await expect(hapi.call('POST', '/Task', task('two'))).rejects.toThrow();
    expect(await hapi.ids('/Task?identifier=urn:test|one')).toHaveLength(0);
    expect(await hapi.ids('/Task?identifier=urn:test|two')).toHaveLength(1);
  });

  it('hang: the effect is there and the answer never comes', async () => {
    hapi.turn({ mishaps: [{ do: 'hang', on: 'write', effect: 'after', count: 1 }] });
    const giveUp = new AbortController();
    const answer = fetch(`${hapi.baseUrl}/Task`, {
      method: 'POST',
      body: JSON.stringify(task('hung')),
      signal: giveUp.signal,
    });
    const ended = answer.then(() => 'answered').catch(() => 'given up');
    while ((await hapi.ids('/Task?identifier=urn:test|hung')).length === 0);
    giveUp.abort();
    expect(await ended).toBe('given up');
  });

  it('a status after the effect', async () => {
    hapi.turn({ mishaps: [{ do: 'status', status: 504, effect: 'after', count: 1 }] });
    expect((await hapi.call('POST', '/Task', task('made'))).status).toBe(504);
    expect(await hapi.ids('/Task?identifier=urn:test|made')).toHaveLength(1);
  });

  it('html instead of FHIR', async () => {
    hapi.turn({ mishaps: [{ do: 'html' }] });
    const { status: code, headers, text } = await hapi.call('GET', '/Task/task-1');
    expect([code, headers.get('content-type'), text.slice(0, 9)]).toEqual([200, 'text/html', '<!doctype']);
  });

  it('by chance, and by the same chance again', async () => {
    const run = async (seed: number) => {
      const one = await simulate('hapi', { seed });
      one.turn({ mishaps: [{ do: 'status', status: 503, chance: 0.5 }] });
      const seen: number[] = [];
      for (let index = 0; index < 40; index++) seen.push((await one.call('GET', '/Task/task-1')).status);
      await one.close();
      return seen;
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    const failed = first.filter((code) => code === 503).length;
    expect(failed).toBeGreaterThan(8);
    expect(failed).toBeLessThan(32);
  });

  it('requestsPerSecond: more are refused', async () => {
    hapi.turn({ requestsPerSecond: 0 });
    const { status: code, headers, body } = await hapi.fail('GET', '/Task/task-1');
    expect([code, headers.get('retry-after'), codeOf(body)]).toEqual([429, '1', 'throttled']);
  });

  it('latency and slowBody: the answer comes all the same', async () => {
    hapi.turn({ latency: 1, slowBody: 10 });
    expect((await hapi.search('/Task')).body.entry).toHaveLength(5);
  });
});

describe('what a server can do', () => {
  const abilities = async () => {
    const { body } = await hapi.call<CapabilityStatement>('GET', '/metadata');
    return body.rest?.[0]?.resource?.find(({ type }) => type === 'Task');
  };

  it('lose: abilities go from the statement and from the server', async () => {
    hapi.turn({ lose: ['Task.update', 'Task?_lastUpdated', 'CarePlan', 'conditional', 'transaction'] });
    const stated = await abilities();
    expect(stated?.interaction?.map(({ code }) => code)).not.toContain('update');
    expect(stated?.searchParam?.map(({ name }) => name)).not.toContain('_lastUpdated');
    expect(stated?.conditionalCreate).toBe(false);
    expect((await hapi.call('PUT', '/Task/task-1', { ...task('a'), id: 'task-1' })).status).toBe(405);
    expect((await hapi.call('GET', '/Task?_lastUpdated=ge2026-01-01')).status).toBe(400);
    expect((await hapi.call('GET', '/CarePlan/plan-1')).status).toBe(404);
    const transaction = { resourceType: 'Bundle', type: 'transaction', entry: [] };
    expect((await hapi.call('POST', '', transaction)).status).toBe(405);
    hapi.turn({ lose: [] });
    expect((await hapi.call('GET', '/CarePlan/plan-1')).status).toBe(200);
  });

  it.each(['Nope.read', 'Task.nope', 'Nope', 'task', 'conditionals', 'Task?', ''])(
    'lose and gain: "%s" names no ability, and nothing is set',
    async (word) => {
      for (const knob of ['lose', 'gain']) {
        const body = { latency: 1, [knob]: ['Task.update', word] };
        expect(() => hapi.turn(body)).toThrow(`"${word}" in "${knob}" names no ability`);
      }
      expect((await abilities())?.interaction?.map(({ code }) => code)).toContain('update');
    },
  );

  it('gain: abilities come', async () => {
    const epic = await simulate('epic');
    epic.turn({ gain: ['Task.create', 'Task?_lastUpdated'] });
    expect((await epic.call('POST', '/Task', { ...task('a'), for: { reference: 'Patient/pat-1' } })).status).toBe(201);
    expect(matches((await epic.search('/Task?_lastUpdated=ge2026-11-20')).body)).toHaveLength(3);
    await epic.close();
  });

  it('unknownElements: are sent, and taken back', async () => {
    hapi.turn({ unknownElements: true });
    const { body } = await hapi.call<Task>('GET', '/Task/task-1');
    expect(body).toMatchObject({ newInThisRelease: true, extension: [{ valueString: 'added' }] });
    expect((await hapi.call('PUT', '/Task/task-1', { ...body, status: 'completed' })).status).toBe(200);
  });

  it('racyCreates: two conditional creates at once make two', async () => {
    const both = async (value: string) => {
      const condition = { 'if-none-exist': `identifier=urn:test|${value}` };
      await Promise.all([1, 2].map(() => hapi.call('POST', '/Task', task(value), condition)));
      return (await hapi.ids(`/Task?identifier=urn:test|${value}`)).length;
    };
    expect(await both('calm')).toBe(1);
    // Which of the two is first is up to the sockets, so it is tried until they meet.
    hapi.turn({ racyCreates: true });
    let most = 0;
    for (let index = 0; most < 2 && index < 200; index++) most = await both(`racy-${index}`);
    expect(most).toBe(2);
  });
});

describe('the control door', () => {
  it('needs its own key', async () => {
    for (const authorization of ['', 'Bearer wrong', `Bearer ${hapi.controlKey}x`]) {
      expect((await hapi.call('GET', hapi.controlUrl, undefined, { authorization })).status).toBe(401);
    }
    expect((await hapi.control('GET', '')).status).toBe(200);
  });

  it('turns knobs while the server runs, and says what is wrong', async () => {
    const { body } = await hapi.control('PUT', '/knobs', { latency: 1, mishaps: [{ do: 'html', chance: 0.5 }] });
    expect((body.knobs as Knobs).mishaps).toEqual([{ do: 'html', chance: 0.5 }]);
    for (const wrong of [{ colour: 1 }, { latency: -1 }, { mishaps: [{ do: 'explode' }] }, { foreignNext: 'x' }]) {
      expect((await hapi.control('PUT', '/knobs', wrong)).status).toBe(400);
    }
    await hapi.control('POST', '/quiet');
    expect((await hapi.control('GET', '')).body.knobs).toMatchObject({ latency: 0, mishaps: [] });
  });

  it('wipes a server, and restores an earlier one', async () => {
    const { body } = await hapi.call<Task>('GET', '/Task/task-1');
    await hapi.control('POST', '/snapshot');
    await hapi.call('PUT', '/Task/task-1', { ...body, status: 'completed' });
    const newer = await add('newer');
    await hapi.control('POST', '/wipe');
    expect(await tasks()).toEqual([]);
    expect((await hapi.call('GET', '/Task/task-1')).status).toBe(404);
    await hapi.control('POST', '/restore');
    expect((await hapi.call<Task>('GET', '/Task/task-1')).body).toEqual(body);
    expect((await hapi.call('GET', `/Task/${newer.id}`)).status).toBe(404);
    expect(await hapi.ids('/Task?patient=pat-1')).toEqual(['task-1']);
  });

  it('writes as the hospital does, moves the clock, and counts what was asked', async () => {
    const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: { ...task('x'), id: 'mine' } }] };
    expect((await hapi.control('PUT', '/resources', bundle)).body).toEqual({ written: ['Task/mine'] });
    await hapi.control('POST', '/clock', { advance: 'PT2H' });
    const { body } = await hapi.control('GET', '');
    expect(String(body.now)).toMatch(/^2026-11-20T15:/);
    await hapi.search('/Task');
    expect((await hapi.control('GET', '')).body.asked).toMatchObject({ 'search Task': 1 });
  });

  it('listens to this machine alone', () => {
    expect(new URL(hapi.baseUrl).hostname).toBe('127.0.0.1');
  });
});

it('docs/simulated-ehrs.md has a row for every knob', () => {
  const page = readFileSync(new URL('../../docs/simulated-ehrs.md', import.meta.url), 'utf8');
  for (const name of Object.keys(quietKnobs())) expect(page).toMatch(new RegExp(`^\\| .*\`${name}\``, 'm'));
});

describe('unchecked', () => {
  it('takes what is not valid, for measurements', async () => {
    expect((await hapi.call('POST', '/Task', { resourceType: 'Task' })).status).toBe(400);
    hapi.turn({ unchecked: true });
    expect((await hapi.call('POST', '/Task', { resourceType: 'Task' })).status).toBe(201);
  });
});

describe('HAPI itself', () => {
  it('has history with deletes, versions and conditions', async () => {
    const made = await add('h');
    const put = await hapi.call<Task>(
      'PUT',
      `/Task/${made.id}`,
      { ...made, status: 'completed' },
      { 'if-match': 'W/"1"' },
    );
    expect(put.body.meta?.versionId).toBe('2');
    expect((await hapi.call('PUT', `/Task/${made.id}`, made, { 'if-match': 'W/"1"' })).status).toBe(412);
    await hapi.call('DELETE', `/Task/${made.id}`);
    expect((await hapi.call('GET', `/Task/${made.id}`)).status).toBe(410);
    expect((await hapi.call<Task>('GET', `/Task/${made.id}/_history/1`)).body.status).toBe('requested');
    const since = encodeURIComponent(made.meta?.lastUpdated ?? '');
    for (const path of [`/Task/${made.id}/_history`, `/Task/_history?_since=${since}`, `/_history?_since=${since}`]) {
      const { body } = await hapi.search(path);
      const methods = body.entry?.map(({ request }) => request?.method);
      expect([path, methods?.slice(0, 3)]).toEqual([path, ['DELETE', 'PUT', 'POST']]);
    }
    const condition = { 'if-none-exist': 'identifier=urn:test|once' };
    const [one, two] = [1, 2].map(() => hapi.call<Task>('POST', '/Task', task('once'), condition));
    expect((await one)?.body.id).toBe((await two)?.body.id);
    expect((await hapi.call('PUT', '/Task/chosen', { ...task('c'), id: 'chosen' })).status).toBe(201);
  });

  it('carries out a transaction wholly or not at all', async () => {
    const entry = (resource: object, fullUrl: string) => ({
      fullUrl,
      resource,
      request: { method: 'POST', url: 'Task' },
    });
    const send = (second: object) =>
      hapi.call<Bundle>('POST', '', {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          entry({ ...task('t1'), focus: { reference: 'urn:uuid:2' } }, 'urn:uuid:1'),
          entry(second, 'urn:uuid:2'),
        ],
      });
    expect((await send({ resourceType: 'Task' })).status).toBe(400);
    expect(await hapi.ids('/Task?identifier=urn:test|t1')).toEqual([]);
    const { body } = await send({ ...task('t2'), focus: { reference: 'urn:uuid:1' } });
    const [one, two] = (body.entry ?? []).map(({ resource }) => resource as Task);
    expect([one?.focus?.reference, two?.focus?.reference]).toEqual([`Task/${two?.id}`, `Task/${one?.id}`]);
  });

  it('finds by every kind of parameter', async () => {
    for (const [query, ids] of [
      ['Patient?family=oka', ['pat-1']],
      ['Patient?family:exact=Oka', []],
      ['Patient?birthdate=lt1950-01-01', ['pat-1', 'pat-4', 'pat-5']],
      ['Patient?identifier=MRN48210', ['pat-1']],
      ['Task?status=requested&patient=Patient/pat-2', ['task-2']],
      ['Task?status:not=requested', []],
      ['Task?owner:missing=true&patient=pat-3', ['task-3']],
      [`Task?subject=${hapi.baseUrl}/Patient/pat-2`, ['task-2']],
      ['CarePlan?date=ge2026-11-21&patient=pat-1', ['plan-1']],
      ['CarePlan?date=le2026-11-19&patient=pat-1', []],
    ] as const) {
      expect([query, await hapi.ids(`/${query}`)]).toEqual([query, ids]);
    }
    expect((await hapi.call('GET', '/Task?colour=red')).status).toBe(400);
    const { body } = await hapi.search('/Task?patient=pat-1&_include=Task:patient');
    expect(body.entry?.map(({ search }) => search?.mode)).toEqual(['match', 'include']);
  });
});

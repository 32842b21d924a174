import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { expectResource } from '../../scripts/bench/driver/checks.ts';
import { driveClosed } from '../../scripts/bench/driver/closed-loop.ts';
import type { Target } from '../../scripts/bench/driver/connection.ts';
import { driveOpen } from '../../scripts/bench/driver/open-loop.ts';
import type { Session } from '../../scripts/bench/driver/session.ts';

const BODY = '{"resourceType":"Task","id":"1","meta":{"versionId":"1"}}';
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listen(
  answer: (at: number) => { status?: number; chunked?: boolean; stallMs?: number },
): Promise<Target> {
  let seen = 0;
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const { status = 200, chunked = false, stallMs = 0 } = answer(seen++);
      // A stall of the whole server: nobody is answered meanwhile.
      for (const until = performance.now() + stallMs; performance.now() < until; );
      response.writeHead(status, chunked ? {} : { 'content-length': BODY.length });
      if (chunked) response.write(BODY.slice(0, 10));
      response.end(chunked ? BODY.slice(10) : BODY);
    });
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (listening.address() as AddressInfo).port, headers: 'host: test\r\n' };
}

function* readTask(): Session {
  for (;;) expectResource(yield { method: 'GET', path: '/Task/1' }, 200, 'Task');
}

const closed = { connections: 2, warmUpMs: 20, measuredMs: 100, onBegin: () => undefined, onEnd: () => undefined };

describe('the load driver', () => {
  it('counts answers, whole and chunked ones', async () => {
    const target = await listen((at) => ({ chunked: at % 2 === 0 }));
    const { answers, seconds } = await driveClosed(target, readTask, closed);
    expect(answers).toBeGreaterThan(10);
    expect(seconds).toBeGreaterThanOrEqual(0.09);
  });

  it('ends with an error when one answer is wrong', async () => {
    const target = await listen((at) => ({ status: at === 20 ? 500 : 200 }));
    await expect(driveClosed(target, readTask, closed)).rejects.toThrow('status 500 instead of 200');
    const again = await listen((at) => ({ status: at === 20 ? 404 : 200 }));
    const open = { perSecond: 500, connections: 4, warmUpMs: 0, measuredMs: 200 };
    await expect(driveOpen(again, readTask, open)).rejects.toThrow('status 404 instead of 200');
  });

  it('charges a stall to everybody who was due meanwhile', async () => {
    const target = await listen((at) => ({ stallMs: at === 50 ? 200 : 0 }));
    const loop = { perSecond: 500, connections: 2, warmUpMs: 0, measuredMs: 600 };
    const { p50, p95, max, answers } = await driveOpen(target, readTask, loop);
    expect(answers).toBeGreaterThanOrEqual(299);
    // A hundred of three hundred requests were due in the stall, though two connections can have sent only two of them.
    expect(p95).toBeGreaterThan(100);
    expect(max).toBeGreaterThan(190);
    expect(p50).toBeLessThan(p95);
  });
});

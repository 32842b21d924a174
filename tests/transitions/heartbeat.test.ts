import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createHeartbeat } from '../../src/transitions/heartbeat.ts';

const log = pino({ level: 'silent' });

it('beats at once, survives a beat that fails, and stops', async () => {
  let beats = 0;
  const heartbeat = createHeartbeat(async () => {
    beats += 1;
    throw new Error('once');
  }, log);
  await heartbeat.start();
  expect(beats).toBe(1);
  await heartbeat.start();
  expect(beats).toBe(1);
  await heartbeat.stop();
  await heartbeat.stop();
});

it('waits for the beat under way before it has stopped', async () => {
  const order: string[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const heartbeat = createHeartbeat(async () => {
    await held;
    order.push('beat');
  }, log);
  const started = heartbeat.start();
  const stopped = heartbeat.stop().then(() => order.push('stopped'));
  release();
  await Promise.all([started, stopped]);
  expect(order).toEqual(['beat', 'stopped']);
});

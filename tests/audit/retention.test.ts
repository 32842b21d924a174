// Old records go, what is left can still be proven, and a removal by hand is told from one by retention.
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeTrailWorld, type TrailWorld } from './trail-world.ts';

const DAY = Temporal.Duration.from({ hours: 24 });
let world: TrailWorld;
beforeEach(async () => {
  world = await makeTrailWorld();
});
afterEach(() => world.cleanup());

const later = (duration: Temporal.Duration) => world.temp.clock.moveTo(world.temp.clock.now().add(duration));
const sequences = async () =>
  (await world.temp.store.query('SELECT sequence FROM audit ORDER BY sequence')).map(({ sequence }) => sequence);

it('removes what is old and sealed, says so, and verifies after it', async () => {
  await world.fill(12);
  later(DAY);
  await world.fill(6);
  later(Temporal.Duration.from({ hours: 20 }));
  await world.another(1).tick();
  // Records 1 to 12 are more than a day old, 13 to 18 are not.
  expect((await sequences())[0]).toBe(13);
  expect(await world.broken()).toBeUndefined();
  await world.fill(5);
  const verdict = await world.trail.verify();
  expect(verdict.reason).toBeUndefined();
  expect(verdict.verified).toBe((await sequences()).length);
  const [removal] = await world.temp.store.query("SELECT * FROM audit WHERE interaction = 'audit-removed'");
  expect(removal).toMatchObject({ action: 'D', query: 'upto=12&count=12&keepDays=1', actor: 'Device/baton-audit' });
});

it('never removes what no seal covers, nor the newest sealed record', async () => {
  await world.fill(7);
  later(Temporal.Duration.from({ hours: 24 * 400 }));
  // The tick seals first when a minute has passed; this one has nothing that makes it due.
  await world.tamper('UPDATE audit_seal SET sealed = sealed');
  await world.another(1).tick();
  const left = await sequences();
  expect(left[0]).toBe(5);
  expect(await world.broken()).toBeUndefined();
});

it('tells a removal by hand from its own', async () => {
  await world.fill(20);
  later(DAY.add(DAY));
  await world.another(1).tick();
  const [first] = await sequences();
  await world.tamper('DELETE FROM audit WHERE sequence = ?', [Number(first)]);
  expect(await world.broken()).toContain(`Record ${first} is missing`);
});

it('stops when records are missing already', async () => {
  await world.fill(20);
  await world.tamper('DELETE FROM audit WHERE sequence = 3');
  later(DAY.add(DAY));
  await expect(world.another(1).tick()).rejects.toThrow('changed by somebody else');
  expect((await sequences())[0]).toBe(1);
  expect(await world.broken()).toContain('Record 3 is missing');
});

it('is found out when the seal of the beginning is taken away or older seals are put back', async () => {
  await world.fill(15);
  const [kept] = (await readFile(world.file, 'utf8')).split('\n');
  later(DAY.add(DAY));
  await world.another(1).tick();
  const { jws } = JSON.parse(kept ?? '{}');
  const numbers = (await world.temp.store.query('SELECT number FROM audit_seal ORDER BY number')).map(
    (row) => row.number,
  );
  expect(numbers).not.toContain(1);
  await world.tamper(
    "INSERT INTO audit_seal (number, kind, sequence, hash, sealed, jws, filed) VALUES (1, 'seal', 5, 'x', 1, ?, 1)",
    [jws],
  );
  expect(await world.broken()).toBeDefined();
  await world.tamper('DELETE FROM audit_seal WHERE number = 1');
  expect(await world.broken()).toBeUndefined();
  await world.tamper("DELETE FROM audit_seal WHERE kind = 'beginning'");
  expect(await world.broken()).toBeDefined();
});

it('keeps everything without a setting', async () => {
  await world.fill(5);
  later(Temporal.Duration.from({ hours: 24 * 4_000 }));
  await world.trail.tick();
  expect((await sequences())[0]).toBe(1);
});

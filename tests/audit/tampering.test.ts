// Every way to tamper with the audit trail that somebody with the database, but without the signing key, has: verification
// finds each.
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHAIN_COLUMNS, expectedHash } from '../../src/store/audit-chain.ts';
import type { SqlValue } from '../../src/store/store.ts';
import { makeTrailWorld, type TrailWorld } from './trail-world.ts';

let world: TrailWorld;
beforeEach(async () => {
  world = await makeTrailWorld();
  await world.fill(17);
});
afterEach(() => world.cleanup());

const lines = async () => (await readFile(world.file, 'utf8')).trimEnd().split('\n');
const write = (some: readonly string[]) => writeFile(world.file, some.map((line) => `${line}\n`).join(''));

describe('a trail that nobody touched', () => {
  it('verifies, with its seals', async () => {
    expect(await world.trail.verify()).toEqual({ verified: 17, last: 17, seals: 3, unsealed: 2 });
    expect(await lines()).toHaveLength(3);
  });

  it('verifies against a seal that was kept elsewhere', async () => {
    const kept = [await world.trail.newest()].filter((seal) => seal !== undefined);
    await world.fill(3);
    expect((await world.trail.verify(kept)).reason).toBeUndefined();
    expect((await world.trail.verify(['a.b.c'])).reason).toContain('no seal of this Baton');
  });

  it('is sealed by one process at a time, and only when there is something new', async () => {
    await Promise.all([world.trail, world.another(), world.another()].map((trail) => trail.seal()));
    await world.trail.seal();
    expect(await world.trail.verify()).toEqual({ verified: 17, last: 17, seals: 4, unsealed: 0 });
  });

  it('verifies after a crash between database and file, and the next seal completes the file', async () => {
    const whole = await lines();
    await write(whole.slice(0, 2));
    await appendFile(world.file, whole[2]?.slice(0, 40) ?? '');
    await world.tamper('UPDATE audit_seal SET filed = 0 WHERE number = 3');
    await world.trail.seal();
    expect((await lines()).slice(0, 3)).toEqual(whole);
    expect(await world.broken()).toBeUndefined();
  });
});

describe('it finds a record that was', () => {
  it.each([1, 7, 10, 15, 16])('removed (%i)', async (sequence) => {
    await world.tamper('DELETE FROM audit WHERE sequence = ?', [sequence]);
    expect(await world.broken()).toContain(`Record ${sequence} is missing`);
  });

  it('put in', async () => {
    const columns = CHAIN_COLUMNS.filter((name) => name !== 'sequence').join(', ');
    await world.tamper(`INSERT INTO audit (sequence, ${columns}) SELECT 18, ${columns} FROM audit WHERE sequence = 4`);
    expect(await world.broken()).toContain('Record 18 is not what was written');
    await world.tamper('UPDATE audit SET sequence = 0 WHERE sequence = 18');
    expect(await world.broken()).toBeDefined();
  });

  it('swapped with another', async () => {
    await world.tamper('UPDATE audit SET sequence = 99 WHERE sequence = 4');
    await world.tamper('UPDATE audit SET sequence = 4 WHERE sequence = 8');
    await world.tamper('UPDATE audit SET sequence = 8 WHERE sequence = 99');
    expect(await world.broken()).toContain('Record 4 is not what was written');
  });

  it.each(CHAIN_COLUMNS)('changed in its %s', async (column) => {
    await world.tamper(`UPDATE audit SET ${column} = ? WHERE sequence = 6`, [otherValue(column)]);
    expect(await world.broken()).toBeDefined();
  });

  it('cut off the end, as far as seals reach', async () => {
    await world.tamper('DELETE FROM audit WHERE sequence > 13');
    expect(await world.broken()).toContain('The trail ends at record 13, and Seal 3 covers record 15');
  });

  it('lost or put in in the index of further patients', async () => {
    await world.tamper('DELETE FROM audit_further WHERE sequence = 3');
    expect(await world.broken()).toContain('Record 3 is not');
    await world.tamper("INSERT INTO audit_further (sequence, patient) VALUES (3, 'b'), (4, 'b')");
    expect(await world.broken()).toBeDefined();
    await world.tamper('DELETE FROM audit_further WHERE sequence = 4');
    expect(await world.broken()).toBeUndefined();
  });
});

describe('it finds a chain that was written anew', () => {
  it('from a changed record on, and the removal of the seals that show it', async () => {
    await world.tamper("UPDATE audit SET actor = 'Practitioner/somebody' WHERE sequence = 8");
    await rewriteFrom(8);
    expect(await world.broken()).toContain('Seal 2 says that record 10 had another hash');
    await world.tamper('DELETE FROM audit_seal WHERE number > 1');
    expect(await world.broken()).toContain('The file has seal 2');
    await write((await lines()).slice(0, 1));
    // Now only what was kept elsewhere knows: docs/audit.md says so.
    expect(await world.broken()).toBeUndefined();
  });

  it('by a seal kept elsewhere, when everything here was written anew', async () => {
    const kept = [await world.trail.newest()].filter((seal) => seal !== undefined);
    await world.tamper('DELETE FROM audit_seal');
    await rm(world.file);
    await world.tamper("UPDATE audit SET actor = 'Practitioner/somebody' WHERE sequence = 8");
    await rewriteFrom(8);
    expect((await world.trail.verify(kept)).reason).toContain('kept elsewhere');
  });

  it('as records of the old format, which cover less', async () => {
    await world.tamper(
      'UPDATE audit SET format = NULL, client = NULL, address = NULL, purposes = NULL, emergency = NULL, patient = NULL, further = NULL WHERE sequence = 17',
    );
    expect(await world.broken()).toContain('Record 17');
  });

  async function rewriteFrom(first: number): Promise<void> {
    const { store } = world.temp;
    const rows = await store.query('SELECT * FROM audit WHERE sequence >= ? ORDER BY sequence', [first - 1]);
    let previous = String(rows[0]?.hash);
    for (const row of rows.slice(1)) {
      previous = expectedHash(previous, row) ?? '';
      await world.tamper('UPDATE audit SET hash = ? WHERE sequence = ?', [previous, row.sequence as number]);
    }
  }
});

describe('it finds a seal that was', () => {
  it.each([1, 2, 3])('removed (%i)', async (number) => {
    await world.tamper('DELETE FROM audit_seal WHERE number = ?', [number]);
    expect(await world.broken()).toMatch(/Seal \d was removed|The file has seal 3/);
  });

  it.each(['kind', 'sequence', 'hash', 'sealed', 'jws', 'number'])('changed in its %s', async (column) => {
    const values: Record<string, SqlValue> = { kind: 'beginning', sequence: 9, sealed: 1, number: 9 };
    await world.tamper(`UPDATE audit_seal SET ${column} = ? WHERE number = 2`, [values[column] ?? 'x.y.z']);
    expect(await world.broken()).toBeDefined();
  });

  it('made by somebody else', async () => {
    const other = await makeTrailWorld();
    await other.fill(15);
    const [row] = await other.temp.store.query('SELECT jws, sequence, hash, sealed FROM audit_seal WHERE number = 3');
    await other.cleanup();
    const { jws, sequence, hash, sealed } = row as Record<string, SqlValue>;
    await world.tamper('UPDATE audit_seal SET jws = ?, sequence = ?, hash = ?, sealed = ? WHERE number = 3', [
      ...([jws, sequence, hash, sealed] as SqlValue[]),
    ]);
    expect(await world.broken()).toBeDefined();
  });

  it('taken out of the file, changed or put in there', async () => {
    const whole = await lines();
    for (const some of [[], whole.slice(0, 1), whole.slice(0, 2), whole.slice(1), [whole[0] ?? '', whole[2] ?? '']]) {
      await write(some);
      expect(await world.broken()).toBeDefined();
    }
    await write([...whole.slice(0, 2), (whole[2] ?? '').replace(/.{20}"}$/, 'AAAAAAAAAAAAAAAAAAAA"}')]);
    expect(await world.broken()).toBeDefined();
    await write([...whole, whole[2] ?? '']);
    expect(await world.broken()).toBeDefined();
    await rm(world.file);
    expect(await world.broken()).toContain('The file of seals lacks seal 1');
    await write(whole);
    expect(await world.broken()).toBeUndefined();
  });
});

describe('whatever is changed', () => {
  it('a single change of any column of any record is found', { timeout: 60_000 }, async () => {
    const { store } = world.temp;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 17 }),
        fc.constantFrom(...CHAIN_COLUMNS),
        fc.oneof(fc.string({ minLength: 1, maxLength: 8 }), fc.constant(null), fc.integer({ min: -5, max: 2_000 })),
        async (sequence, column, value) => {
          const [row] = await store.query('SELECT * FROM audit WHERE sequence = ?', [sequence]);
          const before = row?.[column] ?? null;
          const after = typed(column, value, before);
          fc.pre(after !== before && !(after === null && NOT_NULL.has(column)));
          fc.pre(!(column === 'sequence' && (after as number) >= 1 && (after as number) <= 17));
          await world.tamper(`UPDATE audit SET ${column} = ? WHERE sequence = ?`, [after, sequence]);
          const reason = await world.broken();
          const key = column === 'sequence' ? (after as number) : sequence;
          await world.tamper(`UPDATE audit SET ${column} = ? WHERE sequence = ?`, [before, key]);
          expect(reason).toBeDefined();
        },
      ),
      { numRuns: 60 },
    );
    expect(await world.broken()).toBeUndefined();
  });
});

const NUMBERS = new Set(['sequence', 'format', 'recorded', 'status', 'version']);
const NOT_NULL = new Set(['sequence', 'recorded', 'actor', 'kind', 'interaction', 'action', 'status', 'hash']);

function otherValue(column: string): SqlValue {
  return NUMBERS.has(column) ? 77 : 'other';
}

/** The value as the column can hold it. */
function typed(column: string, value: string | number | null, before: SqlValue): SqlValue {
  if (value === null) return null;
  if (!NUMBERS.has(column)) return String(value).replaceAll('\0', '0');
  return typeof value === 'number' ? value : Number(before ?? 0) + value.length;
}

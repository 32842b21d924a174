// Reads of one turn of the event loop: one statement a type, each asker gets their own.
import { expect, test } from 'vitest';
import { readTogether } from '../../src/store/read-together.ts';
import type { Sql } from '../../src/store/sql.ts';
import type { SqlValue } from '../../src/store/store.ts';

/** Knows every resource whose id does not begin with "no". */
function database(fail?: Error) {
  const asked: SqlValue[][] = [];
  const all: Sql['all'] = async (_sql, params = []) => {
    asked.push([...params]);
    if (fail) throw fail;
    const [type, ...ids] = params as string[];
    return [...new Set(ids)]
      .filter((id) => !id.startsWith('no'))
      .map((id) => ({
        type: `${type}`,
        id,
        version: 2,
        sequence: 7,
        updated: 0,
        deleted: 0,
        content: `${type}/${id}`,
      }));
  };
  return {
    asked,
    read: readTogether({ dialect: 'postgres', all, run: () => Promise.reject(new Error('It reads only.')) }),
  };
}

test('what is asked for in one turn is one statement a type, and nobody gets what another asked for', async () => {
  const { read, asked } = database();
  const answers = await Promise.all([
    read('Task', 'a'),
    read('Goal', 'a'),
    read('Task', 'nobody'),
    read('Task', 'b'),
    read('Task', 'a'),
  ]);
  expect(answers.map((answer) => answer?.content)).toEqual(['Task/a', 'Goal/a', undefined, 'Task/b', 'Task/a']);
  // Lists have few lengths, so that few statements are prepared.
  expect(asked).toEqual([
    ['Task', 'a', 'nobody', 'b', 'a'],
    ['Goal', 'a'],
  ]);
  expect((await read('Task', 'c'))?.content).toBe('Task/c');
  expect(asked).toHaveLength(3);
});

test('many are read by several statements', async () => {
  const { read, asked } = database();
  const ids = Array.from({ length: 150 }, (_, n) => `t${n}`);
  const answers = await Promise.all(ids.map((id) => read('Task', id)));
  expect(answers.map((answer) => answer?.id)).toEqual(ids);
  expect(asked.map(({ length }) => length - 1)).toEqual([64, 64, 32]);
});

test('when it fails, it fails for all who asked, and for nobody after them', async () => {
  const { read } = database(new Error('The database is away.'));
  const results = await Promise.allSettled([read('Task', 'a'), read('Task', 'b'), read('Goal', 'a')]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

// W1: create, read, update and delete a resource of each of nine types; 36 calls to an iteration.
import { expectResource, expectStatus } from '../driver/checks.ts';
import type { Session } from '../driver/session.ts';
import { NINE_TYPES } from './nine-types.ts';
import { get, post, put, remove } from './requests.ts';
import type { Workload } from './workload.ts';

function* iterate(): Session {
  for (;;) {
    for (const [type, rest] of NINE_TYPES) {
      const id = expectResource(yield post(type, `{"resourceType":"${type}",${rest}`), 201, type);
      expectResource(yield get(`${type}/${id}`), 200, type);
      const changed = `{"resourceType":"${type}","id":"${id}","language":"en",${rest}`;
      if (expectResource(yield put(`${type}/${id}`, changed), 200, type) !== id)
        throw new Error('another id came back');
      expectStatus(yield remove(`${type}/${id}`), 200, 204);
    }
  }
}

const goal = { sqlite: 3_000, postgres: 2_000 };

export const W1: readonly Workload[] = [30, 300].map((connections) => ({
  name: `W1 at-${connections}`,
  what: `create, read, update, delete of nine types, ${connections} connections`,
  connections,
  script: { session: iterate },
  goal,
}));

// Indexes what nobody can be served without, before anybody is: after an upgrade that changes such a parameter the first
// request is answered, and not refused until the background comes to it.
import type { Logger } from 'pino';
import type { OpenStore } from '../open.ts';
import { readIndexProgress } from './index-progress.ts';

/** Who watches the process would take it for dead; what is left then is done in the background, and asking by it is 503. */
const MOST_MILLISECONDS = 30_000;

/** @param needed resource type to the codes of parameters */
export async function indexFirst(
  store: Pick<OpenStore, 'query' | 'reindex'>,
  needed: ReadonlyMap<string, ReadonlySet<string>>,
  log: Logger,
): Promise<void> {
  const waiting = (await readIndexProgress(store)).filter(({ type, parameters }) =>
    parameters.some((code) => needed.get(type)?.has(code)),
  );
  if (waiting.length === 0) return;
  log.info({ waiting }, 'indexing what decides who reaches which record, before anybody is served');
  const types = waiting.map(({ type }) => type);
  await store.reindex(AbortSignal.timeout(MOST_MILLISECONDS), types);
  log.info('what decides who reaches which record is indexed, or goes on in the background');
}

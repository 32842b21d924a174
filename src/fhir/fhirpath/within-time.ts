// Time for work whose length is somebody else's to say: expressions of forms and pathways, the regular expressions in them,
// and how often a form makes its calculations anew. A timer cannot end what never lets go of the thread; V8 can.
import { createContext, Script } from 'node:vm';
import { Fault } from '../../fault.ts';

/** Milliseconds; forms and pathways as they are shipped take a hundredth of it. */
const MOST_TIME = 2_000;

const context = createContext({ work: undefined });
const script = new Script('work()');

/**
 * @param work must not wait for anything: what it starts and does not finish is not ended
 * @throws Fault unprocessable (`too-costly`) when it takes too long, or nests too deep; what `work` throws
 */
export function withinTime<T>(work: () => T, milliseconds = MOST_TIME): T {
  context.work = work;
  try {
    return script.runInContext(context, { timeout: milliseconds });
  } catch (error) {
    const isTooLong = (error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    if (!isTooLong && !(error instanceof RangeError && /call stack|string length|array length/i.test(error.message)))
      throw error;
    throw new Fault('unprocessable', 'The expressions of this form, pathway or query take too long.', {
      code: 'too-costly',
      cause: error,
    });
  } finally {
    // What it worked on is not kept.
    context.work = undefined;
  }
}

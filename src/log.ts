// The log that every part writes into: JSON lines, and nothing in them that a request, a resource or a message contained.
// Our own lines are written with that in mind; errors of libraries and of Node are not, so what of them may be written is
// listed here.
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { Fault, framesOf } from './fault.ts';

/** Facts about an error that are never content. Messages and whatever else errors carry often quote what failed. */
const FACTS = ['code', 'errcode', 'errstr', 'errno', 'syscall', 'address', 'port', 'severity', 'table', 'constraint'];
/** An error that was caused by one that was caused by one … */
const DEEPEST = 4;

const OPTIONS: LoggerOptions = {
  serializers: { err: describeError, req: () => undefined, res: () => undefined },
  hooks: {
    // pino would take the message of an error for the line's own.
    logMethod(args, method) {
      const [first, message] = args as unknown[];
      if (first instanceof Error) method.apply(this, [{ err: first }, 'an error inside a library']);
      else if (message === undefined && hasError(first)) method.apply(this, [first, 'an error']);
      else method.apply(this, args);
    },
  },
};

export function createLog(level: string, destination: DestinationStream): Logger {
  return pino({ ...OPTIONS, level }, destination);
}

/** Kind, place and known facts of an error, and of what caused it. */
export function describeError(error: unknown, depth = 1): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const facts = Object.entries(error).filter(([name]) => FACTS.includes(name));
  return {
    type: error.name,
    ...(error instanceof Fault ? { kind: error.kind, ...error.context } : {}),
    ...Object.fromEntries(facts),
    at: framesOf(error).map((frame) => frame.trim()),
    ...(error.cause === undefined || depth === DEEPEST ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

const hasError = (value: unknown): value is { err: Error } =>
  typeof value === 'object' && value !== null && 'err' in value && value.err instanceof Error;

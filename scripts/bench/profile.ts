// Where the time of a workload goes: samples Baton's main thread over the debugging protocol, just while the workload
// runs, and sums up self time by function, by module and by part of Baton.
// https://chromedevtools.github.io/devtools-protocol/v8/Profiler/
import { once } from 'node:events';

const SAMPLE_MICROSECONDS = 500;

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Profiler {
  start(): Promise<void>;
  stop(): Promise<Profile>;
  close(): void;
}

/** @param address `ws://…` that Node prints when it is started with `--inspect=0` */
export async function connectProfiler(address: string): Promise<Profiler> {
  const socket = new WebSocket(address);
  await once(socket, 'open');
  let last = 0;
  const ask = async (method: string, params: object = {}): Promise<unknown> => {
    const id = ++last;
    socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [event] = (await once(socket, 'message')) as [MessageEvent];
      const message = JSON.parse(String(event.data)) as { id?: number; result?: unknown; error?: { message: string } };
      if (message.id !== id) continue;
      if (message.error) throw new Error(`${method}: ${message.error.message}`);
      return message.result;
    }
  };
  await ask('Profiler.enable');
  await ask('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS });
  return {
    async start() {
      await ask('Profiler.start');
    },
    stop: async () => ((await ask('Profiler.stop')) as { profile: Profile }).profile,
    close: () => socket.close(),
  };
}

/** Tables of self time, the largest first. */
export function profileTables({ nodes, samples, timeDeltas }: Profile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map<string, number>();
  const modules = new Map<string, number>();
  let busy = 0;
  for (const [at, id] of samples.entries()) {
    const frame = frames.get(id);
    const time = timeDeltas[at] ?? 0;
    if (!frame || frame.functionName === '(idle)') continue;
    busy += time;
    const module = moduleOf(frame);
    add(modules, module, time);
    add(functions, `${frame.functionName || '(anonymous)'} | ${module}:${frame.lineNumber + 1}`, time);
  }
  return [
    `Busy ${(busy / 1e6).toFixed(1)} s of CPU samples.`,
    table(['ms', '%', 'module'], modules, busy, 30),
    table(['ms', '%', 'function', 'where'], functions, busy, 45),
  ].join('\n\n');
}

/** `src/store/write.ts`, `node_modules/fastify`, `node:internal/streams`, or `native` for V8, SQLite and the kernel. */
function moduleOf({ url, functionName }: CallFrame): string {
  const own = /\/((?:src|scripts|profiles)\/.+)$/.exec(url)?.[1];
  const dependency = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (dependency) return `node_modules/${dependency}`;
  if (own) return own;
  if (url.startsWith('node:')) return url;
  return functionName === '(garbage collector)' ? 'garbage collector' : 'native';
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function table(head: readonly string[], sums: ReadonlyMap<string, number>, all: number, most: number): string {
  const rows = [...sums].sort(([, a], [, b]) => b - a).slice(0, most);
  const lines = rows.map(
    ([key, time]) => `| ${(time / 1000).toFixed(0)} | ${((100 * time) / all).toFixed(1)} | ${key} |`,
  );
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...lines].join('\n');
}

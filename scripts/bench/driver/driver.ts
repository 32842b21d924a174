// The load driver: a process of its own, so that what it measures never waits for anything but the server. Takes one
// plan, answers with one result, ends.
import { workloadNamed } from '../workloads/table.ts';
import { driveClosed } from './closed-loop.ts';
import { Connection, type Target } from './connection.ts';
import { cpuOf, cpuOfTree } from './cpu.ts';
import { driveOpen } from './open-loop.ts';
import type { DrivePlan, DriveResult } from './plan.ts';
import type { Ask } from './session.ts';

/** The first run of a kind of request compiles what it needs: schemas, statements, machine code. */
const CLOSED_WARM_UP_MS = 1_500;
const OPEN_WARM_UP_MS = 500;
/** An open loop needs connections to spare: a server that stalls would hold the arrivals back. */
const SPARE_CONNECTIONS = 64;

process.once('message', async (plan: DrivePlan) => {
  const result = await drive(plan).catch(
    (error: Error): DriveResult => ({ error: `${plan.workload}: ${error.message}` }),
  );
  process.send?.(result, () => process.exit(0));
});

async function drive(plan: DrivePlan): Promise<DriveResult> {
  const { script } = workloadNamed(plan.workload);
  const target = targetOf(plan);
  const prepared = (await script.prepare?.(asking(target), plan.world)) ?? [''];
  if (prepared.length === 0) return { skipped: 'this server does not offer it, or the population is too small' };
  const makeSession = (n: number) => script.session(plan.world, n, prepared);
  const used = () => ({
    server: cpuOf(plan.server),
    database: plan.database === undefined ? 0 : cpuOfTree(plan.database),
    driver: cpuOf(process.pid),
  });
  let before = used();
  let after = before;
  const { answers, seconds } = await driveClosed(target, makeSession, {
    connections: plan.connections,
    warmUpMs: CLOSED_WARM_UP_MS,
    measuredMs: plan.seconds * 1000,
    onBegin: () => {
      before = used();
    },
    onEnd: () => {
      after = used();
    },
  });
  if (answers === 0) throw new Error('no answer came within the measured time; give it more with --seconds');
  const perSecond = answers / seconds;
  const cpu = {
    server: (after.server - before.server) / answers,
    database: (after.database - before.database) / answers,
    driver: (after.driver - before.driver) / answers,
  };
  if (!plan.open) return { measured: { perSecond, cpu } };
  const latencies = await driveOpen(target, (n) => makeSession(plan.connections + n), {
    perSecond: perSecond / 2,
    connections: plan.connections + SPARE_CONNECTIONS,
    warmUpMs: OPEN_WARM_UP_MS,
    measuredMs: plan.seconds * 1000,
  });
  return { measured: { perSecond, cpu, latencies } };
}

function targetOf({ url, token }: DrivePlan): Target {
  const { hostname, port, host } = new URL(url);
  const authorization = token === undefined ? '' : `authorization: Bearer ${token}\r\n`;
  const headers = `host: ${host}\r\n${authorization}`;
  return { host: hostname, port: Number(port), headers };
}

function asking(target: Target): Ask {
  return (request) =>
    new Promise((resolve, reject) => {
      const connection = new Connection(target);
      const close =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          connection.close();
          settle(value);
        };
      connection.send(request, close(resolve), close(reject));
    });
}

// One workload measured: starts the driver's process, hands it the plan, takes its result.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DrivePlan, DriveResult } from './driver/plan.ts';

const DRIVER = join(import.meta.dirname, 'driver/driver.ts');

/** @throws Error when any answer was wrong: such a number would mean nothing */
export async function measure(plan: DrivePlan): Promise<Exclude<DriveResult, { error: string }>> {
  const driver = fork(DRIVER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(driver, 'exit').then(([code]) => {
    throw new Error(`The load driver ended with ${code} and no result.`);
  });
  driver.send(plan);
  const [result] = (await Promise.race([once(driver, 'message'), ended])) as [DriveResult];
  ended.catch(() => undefined);
  if ('error' in result) throw new Error(result.error);
  return result;
}

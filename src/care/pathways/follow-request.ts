// What an application asks for when a case is to follow a pathway, in the terms of the engine.
import { Fault } from '../../fault.ts';
import type { Choice } from '../apply/select.ts';
import type { Records } from '../records.ts';
import type { ReadPathway } from './pathway-library.ts';
import type { FollowPathway } from './pathway-schema.ts';
import type { Pathways } from './pathways.ts';

export interface FollowRequest {
  readonly read: ReadPathway;
  readonly choice: Choice;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** @throws Fault unprocessable when there is no such pathway, or it cannot be carried out as it is written */
export async function readFollowRequest(
  { library }: Pathways,
  records: Records,
  { pathway, parameters = {}, take = [], omit = [] }: FollowPathway,
): Promise<FollowRequest> {
  const definition = await library.find(pathway, records);
  if (!definition) {
    throw new Fault('unprocessable', 'There is no such pathway; GET /api/v1/pathways lists them.', {
      expression: 'pathway',
    });
  }
  return {
    read: await library.read(definition, records, Object.keys(parameters)),
    choice: {
      take: new Map(take.map(({ step, times = 1 }) => [step, times])),
      omit: new Map(omit.map(({ step, reason }) => [step, reason])),
    },
    parameters,
  };
}

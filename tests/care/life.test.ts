// The life of a follow-up: every stage with every event, and what people may write of it over FHIR.
import { readFileSync } from 'node:fs';
import type { Task } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { replaceGenerated } from '../../scripts/docs.ts';
import { lifeTable } from '../../scripts/life-table.ts';
import { ofType } from '../../src/care/profiles.ts';
import {
  EVENTS,
  LIFE,
  type LifeEvent,
  refuseStage,
  STAGES,
  type Stage,
  stageAfter,
  stageConcept,
  stageOf,
} from '../../src/care/transition/life.ts';
import { artifacts } from './artifacts.ts';

const stages = Object.keys(STAGES) as Stage[];
const events = Object.keys(EVENTS) as LifeEvent[];
const isEnd = (stage: Stage) => Object.keys(LIFE[stage]).length === 0;
const taskAt = (stage: Stage, changes: Partial<Task> = {}): Task => ({
  resourceType: 'Task',
  status: 'requested',
  intent: 'order',
  businessStatus: stageConcept(stage),
  ...changes,
});

describe.each(stages)('a follow-up that is %s', (stage) => {
  it.each(events)('and is to %s has an answer', (event) => {
    const next = LIFE[stage][event];
    if (next) return expect(stageAfter(stage, event)).toBe(next);
    const act = () => stageAfter(stage, event);
    expect(act).toThrow(`A follow-up that is ${stage} cannot be ${EVENTS[event]}; `);
    for (const legal of Object.keys(LIFE[stage]) as LifeEvent[]) expect(act).toThrow(EVENTS[legal]);
    if (isEnd(stage)) expect(act).toThrow('nothing more happens to it');
  });

  it('reaches an end from wherever it is', () => {
    const seen = new Set<Stage>([stage]);
    for (const one of seen) for (const next of Object.values(LIFE[one])) seen.add(next);
    expect([...seen].some(isEnd)).toBe(true);
  });

  it.each(stages)('is set to %s over FHIR only where that is said by what was done', (to) => {
    const refused = refuseStage(taskAt(stage), taskAt(to)) !== undefined;
    expect(refused).toBe(stage !== to && !(to === 'acknowledged' && Object.values(LIFE[stage]).includes(to)));
    const ended = refuseStage(taskAt(stage), taskAt(to, { status: 'completed' })) !== undefined;
    if (isEnd(to)) expect(ended).toBe(stage !== to && !Object.values(LIFE[stage]).includes(to));
  });
});

it('every stage is a code of follow-up-status, and says so on the Task', () => {
  const system = ofType(artifacts, 'CodeSystem').find(({ id }) => id === 'follow-up-status');
  expect(system?.concept?.map(({ code, display }) => [code, display])).toEqual(Object.entries(STAGES));
  for (const stage of stages) expect(stageOf(taskAt(stage))).toBe(stage);
  expect(stageOf({ businessStatus: { text: 'Left a voicemail' } })).toBeUndefined();
});

it('docs/transitions.md shows the table as it is (npm run docs)', () => {
  const page = readFileSync(new URL('../../docs/transitions.md', import.meta.url), 'utf8');
  expect(replaceGenerated(page, lifeTable(), 'follow-up life')).toBe(page);
});

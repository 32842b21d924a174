// Random days of people who are alike, have several records, are merged, taken apart and given to somebody else by two
// servers, while persons answer what they are asked, now so and then so, and records fail for a while. Whatever happens:
// nothing about one person ever stands at another. docs/sync-spec.md#I8
import { readMatchRules } from '../../../src/sync/patients/match-rules.ts';
import { randomFrom } from '../seeded-random.ts';
import { type Acts, chooseAct } from './acts.ts';
import { Bomb } from './fragile.ts';
import { editHere, joinHere, paperHere, patientHere } from './merge-acts-here.ts';
import {
  backup,
  deleteThere,
  editThere,
  failThere,
  joinThere,
  late,
  moveThere,
  paperThere,
  patientThere,
  restore,
  workAgain,
} from './merge-acts-there.ts';
import { giveAwayThere, mergeThere, repointThere, unmergeThere } from './merge-acts-who.ts';
import { answer, decide } from './merge-answers.ts';
import { findMergeDamage } from './merge-damage.ts';
import { comeToRest, goOn } from './merge-rest.ts';
import { chance, DAY, type MergeDays, MINUTE, mixed, note, PAPERS, server } from './merge-world.ts';
import type { ModelKnobs } from './model-remote.ts';
import { People, type Person } from './people.ts';
import { openTwoServers, type ServerName } from './two-servers.ts';

const MATCHING = readMatchRules(new URL('../../../profiles/matching', import.meta.url).pathname);

export interface MergeReport {
  readonly steps: number;
  readonly words: number;
  readonly merges: number;
  readonly answers: number;
  readonly crashes: number;
  readonly requests: number;
  readonly writes: number;
  /** Sentences about what is wrong; empty when all is well. */
  readonly damage: readonly string[];
  readonly story: readonly string[];
}

const ACTS: Acts<MergeDays> = [
  ['pull', 16, (days) => days.world.sync.pullNow(server(days))],
  ['push', 14, (days) => days.world.sync.pushNow(server(days))],
  ['sweep', 2, (days) => days.world.sync.sweep(server(days))],
  ['patient here', 4, patientHere],
  ['patient there', 6, patientThere],
  ['paper here', 6, paperHere],
  ['paper there', 8, paperThere],
  ['edit here', 6, editHere],
  ['edit there', 7, editThere],
  ['merge there', 6, mergeThere],
  ['re-point there', 4, repointThere],
  ['unmerge there', 2, unmergeThere],
  ['move there', 2, moveThere],
  ['join here', 2, joinHere],
  ['join there', 2, joinThere],
  ['give away there', 2, giveAwayThere],
  ['backup', 2, backup],
  ['restore', 1, restore],
  ['delete there', 1, deleteThere],
  ['fail for a while', 2, failThere],
  ['work again', 3, workAgain],
  ['answer', 7, answer],
  ['decide', 4, decide],
  ['crash', 4, crash],
  ['late', 2, late],
  ['time', 8, ({ world, random }) => world.pass(Math.floor(random() * 3 * MINUTE))],
  ['long time', 1, ({ world, random }) => world.pass(Math.floor(random() * DAY))],
];

/** @param steps of one world, before it comes to rest */
export async function mergeDays(seed: number, steps: number, isTold = false): Promise<MergeReport> {
  const random = randomFrom(seed);
  const takesAll = { a: random() < 0.5, b: random() < 0.5 };
  const typesOf = (name: ServerName) => {
    const both = Object.fromEntries(PAPERS.map((type) => [type, 'both'] as const));
    return { Patient: takesAll[name] ? ('pull' as const) : ('both' as const), ...both };
  };
  const world = await openTwoServers({
    knobs: { a: knobsFrom(random), b: knobsFrom(random) },
    random,
    matching: MATCHING,
    types: { a: typesOf('a'), b: typesOf('b') },
  });
  const nothing = {
    people: new People(),
    story: [],
    merged: new Set<Person>(),
    mayRepeat: new Set<string>(),
    backups: {},
  };
  const counts = { made: 0, merges: 0, answers: 0, crashes: 0 };
  const days: MergeDays = {
    world,
    random,
    ...nothing,
    isRight: random() < 0.6,
    reusesIds: random() < 0.5,
    takesAll,
    isTold,
    ...counts,
  };
  note(days, JSON.stringify({ takesAll, isRight: days.isRight, reusesIds: days.reusesIds }));
  const damage: string[] = [];
  try {
    for (let step = 0; step < steps && damage.length === 0; step += 1) {
      world.pass(1 + Math.floor(random() * 2_000));
      const [name, , act] = chooseAct(ACTS, random);
      days.story.push(`${step} ${name}`);
      damage.push(...(await told(days, () => act(days))));
    }
    if (damage.length === 0) damage.push(...(await told(days, () => comeToRest(days))));
    if (damage.length === 0) damage.push(...(await findMergeDamage(days)));
    if (damage.length === 0) damage.push(...(await told(days, () => goOn(days))));
    if (damage.length === 0) damage.push(...(await findMergeDamage(days)));
    const { a, b } = world.remotes;
    const { merges, answers, crashes, people, story } = days;
    const work = { requests: a.requests + b.requests, writes: a.writes + b.writes };
    return { steps, words: people.count, merges, answers, crashes, ...work, damage, story };
  } finally {
    await world.cleanup();
  }
}

/** Does something, tells of its exchanges, and says what stands at the wrong person after it. */
export async function told(days: MergeDays, act: () => unknown): Promise<string[]> {
  const { world, isTold } = days;
  const count = async () => Number((await world.store.query('SELECT COUNT(*) AS n FROM message'))[0]?.n);
  const before = isTold ? await count() : 0;
  const said = await act();
  const sql = `SELECT connection, direction, method, url, status, type, local_id, remote_id, outcome, detail FROM message
    ORDER BY rowid LIMIT -1 OFFSET ?`;
  for (const row of isTold ? await world.store.query(sql, [before]) : []) note(days, Object.values(row).join(' '));
  return [...(Array.isArray(said) ? said : []), ...(await mixed(days))];
}

function knobsFrom(random: () => number): ModelKnobs {
  const flag = () => random() < 0.5;
  return {
    conditionalCreate: flag(),
    versioning: random() < 0.8,
    transactions: flag(),
    secondPrecision: flag(),
    pageSize: flag() ? 4 : 50,
    normalise: false,
    repeatAcrossPages: flag(),
    findsOfPatient: flag(),
  };
}

async function crash(days: MergeDays): Promise<void> {
  const { world } = days;
  const name = server(days);
  const bomb = new Bomb(1 + Math.floor(days.random() * 40), chance(days, 0.5) ? 'before' : 'after', chance(days, 0.6));
  world.start(bomb);
  await (chance(days, 0.5) ? world.sync.pullNow(name) : world.sync.pushNow(name));
  if (bomb.exploded) days.crashes += 1;
  world.start();
}

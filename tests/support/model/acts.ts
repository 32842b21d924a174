// Things that may happen in a random world, each with how often.

/** Name, weight, what it does. */
export type Acts<World> = readonly (readonly [string, number, (world: World) => Promise<void> | void])[];

export function chooseAct<World>(acts: Acts<World>, random: () => number): Acts<World>[number] {
  let left = random() * acts.reduce((sum, [, weight]) => sum + weight, 0);
  for (const act of acts) {
    left -= act[1];
    if (left < 0) return act;
  }
  return acts[0] as Acts<World>[number];
}

export function pick<T>(random: () => number, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}

// Regular expressions that run in time proportional to the text, whatever the pattern: patterns come in value sets that
// anybody may send, and a backtracking engine can be kept busy for ever with twenty characters.
// The states a pattern can be in are followed all at once (Thompson's construction).
import { Fault } from '../../fault.ts';
import { parsePattern, type Tree } from './regex-syntax.ts';

type Step =
  | { readonly kind: 'one'; readonly accepts: (char: string) => boolean }
  | { readonly kind: 'split'; readonly to: readonly number[] }
  | { readonly kind: 'start' | 'end' | 'match' };

/** States of a compiled pattern; counted repetitions multiply. */
const MAX_STEPS = 2_000;
/** States looked at over all texts that one pattern is tried on; about a second of work. */
const MAX_WORK = 5_000_000;

/**
 * A test of whether a pattern matches the whole of a text.
 * @throws Fault invalid for a pattern that is not understood (back references, look-around) or too large; the test,
 *   unprocessable (`too-costly`) when it has been tried on very much text
 */
export function wholeMatch(pattern: string): (text: string) => boolean {
  const steps = compile(parsePattern(pattern));
  let work = 0;
  const spend = (states: number) => {
    work += states;
    if (work > MAX_WORK)
      throw new Fault('unprocessable', 'The regular expression takes too long.', { code: 'too-costly' });
  };
  return (text) => runs(steps, text, spend);
}

/** Each step leads to the one behind it, a split to those it names. */
function compile(tree: Tree): Step[] {
  const steps: Step[] = [];
  const add = (step: Step): number => {
    if (steps.length >= MAX_STEPS) throw tooLarge();
    return steps.push(step) - 1;
  };
  let puts = 0;
  const put = (node: Tree): void => {
    // Repeated empty groups make no steps, and still take time.
    if (++puts > 10 * MAX_STEPS) throw tooLarge();
    switch (node.kind) {
      case 'one':
      case 'start':
      case 'end':
        add(node);
        break;
      case 'sequence':
        for (const part of node.of) put(part);
        break;
      case 'choice':
        putChoice(node.of);
        break;
      case 'repeat':
        for (let i = 0; i < node.least; i++) put(node.of);
        if (node.most === Number.POSITIVE_INFINITY) putLoop(node.of);
        else putOptional(node.of, node.most - node.least);
    }
  };
  const putChoice = (options: readonly Tree[]): void => {
    const exits: number[] = [];
    options.forEach((option, i) => {
      const isLast = i === options.length - 1;
      const fork = isLast ? -1 : add({ kind: 'split', to: [] });
      put(option);
      if (isLast) return;
      exits.push(add({ kind: 'split', to: [] }));
      steps[fork] = { kind: 'split', to: [fork + 1, steps.length] };
    });
    for (const exit of exits) steps[exit] = { kind: 'split', to: [steps.length] };
  };
  const putLoop = (body: Tree): void => {
    const fork = add({ kind: 'split', to: [] });
    put(body);
    add({ kind: 'split', to: [fork] });
    steps[fork] = { kind: 'split', to: [fork + 1, steps.length] };
  };
  const putOptional = (body: Tree, times: number): void => {
    const forks: number[] = [];
    for (let i = 0; i < times; i++) {
      forks.push(add({ kind: 'split', to: [] }));
      put(body);
    }
    for (const fork of forks) steps[fork] = { kind: 'split', to: [fork + 1, steps.length] };
  };
  put(tree);
  add({ kind: 'match' });
  return steps;
}

const tooLarge = () => new Fault('invalid', 'The regular expression is too large.', { code: 'too-costly' });

function runs(steps: readonly Step[], text: string, spend: (states: number) => void): boolean {
  const chars = [...text];
  let states = follow(steps, [0], 0, chars.length);
  for (let at = 0; at < chars.length && states.size > 0; at++) {
    const char = chars[at] as string;
    spend(states.size);
    const next = [...states].filter((state) => {
      const step = steps[state] as Step;
      return step.kind === 'one' && step.accepts(char);
    });
    states = follow(
      steps,
      next.map((state) => state + 1),
      at + 1,
      chars.length,
    );
  }
  return [...states].some((state) => steps[state]?.kind === 'match');
}

/** Every state that can be reached without reading a character. */
function follow(steps: readonly Step[], from: readonly number[], at: number, length: number): Set<number> {
  const reached = new Set(from);
  for (const state of reached) {
    const step = steps[state] as Step;
    if (step.kind === 'split') for (const to of step.to) reached.add(to);
    if ((step.kind === 'start' && at === 0) || (step.kind === 'end' && at === length)) reached.add(state + 1);
  }
  return reached;
}

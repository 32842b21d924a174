// A set of ids that may be a million: eight bytes of each one's hash in one array, where strings would take a hundred. The
// chance that an id which is missing is taken for another one is below one in a million millions.
import { hash } from 'node:crypto';

const FIRST_SLOTS = 1_024;
/** Searching takes long when hardly a slot is free. */
const FULLEST = 0.6;

export class IdSet {
  #size = 0;
  /** Two halves to a slot; both are 0 in a free one. */
  #slots = new Uint32Array(2 * FIRST_SLOTS);

  get size(): number {
    return this.#size;
  }

  add(id: string): void {
    const [low, high] = halvesOf(id);
    if (!insert(this.#slots, low, high)) return;
    this.#size += 1;
    if (this.#size > (this.#slots.length / 2) * FULLEST) this.#grow();
  }

  has(id: string): boolean {
    const [low, high] = halvesOf(id);
    const at = find(this.#slots, low, high);
    return this.#slots[at] !== 0 || this.#slots[at + 1] !== 0;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(2 * before.length);
    for (let at = 0; at < before.length; at += 2) {
      const [low, high] = [before[at] ?? 0, before[at + 1] ?? 0];
      if (low !== 0 || high !== 0) insert(this.#slots, low, high);
    }
  }
}

function halvesOf(id: string): readonly [number, number] {
  const bytes = hash('sha256', id, 'buffer');
  return [bytes.readUInt32LE(0) || 1, bytes.readUInt32LE(4)];
}

/** False when it was there. */
function insert(slots: Uint32Array, low: number, high: number): boolean {
  const at = find(slots, low, high);
  if (slots[at] === low && slots[at + 1] === high) return false;
  slots[at] = low;
  slots[at + 1] = high;
  return true;
}

/** Where the halves are, or the free slot where they belong. */
function find(slots: Uint32Array, low: number, high: number): number {
  const last = slots.length - 1;
  for (let at = (2 * low) & last; ; at = (at + 2) & last) {
    if (slots[at] === low && slots[at + 1] === high) return at;
    if (slots[at] === 0 && slots[at + 1] === 0) return at;
  }
}

// What the lists of a plan can be narrowed by, and how they answer.
import Type, { type TSchema } from 'typebox';

export const State = Type.Optional(Type.Enum(['open', 'closed'], { description: 'All when absent' }));

export const OF_PLAN = Type.Optional(Type.Boolean({ description: 'Only what the plan has, or only what it has not' }));

export function listOf<Item extends TSchema>(item: Item) {
  return Type.Object({ items: Type.Array(item) });
}

// The table of docs/transitions.md that shows the life of a follow-up, from the data itself. `npm run docs` writes it.
import { EVENTS, LIFE, type LifeEvent, STAGES } from '../src/care/transition/life.ts';

/** Markdown: a row for each stage; a stage that an event leaves as it is stands alone. */
export function lifeTable(): string {
  const rows = Object.entries(LIFE).map(([stage, row]) => {
    const steps = Object.entries(row).map(([event, next]) => (next === stage ? event : `${event} → \`${next}\``));
    return `| \`${stage}\` | ${STAGES[stage as keyof typeof STAGES]} | ${steps.join(', ') || 'nothing'} |`;
  });
  const events = Object.keys(EVENTS) as LifeEvent[];
  return [
    '| businessStatus | means | may happen |',
    '| --- | --- | --- |',
    ...rows,
    '',
    `Events: ${events.map((event) => `\`${event}\` (${EVENTS[event]})`).join(', ')}.`,
  ].join('\n');
}

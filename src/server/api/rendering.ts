// Which form of a view the client wants. https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
import { Fault } from '../../fault.ts';

const JSON_TYPE = 'application/json';

/**
 * @param others media types that the view can be rendered as, beside JSON
 * @returns undefined: JSON
 * @throws Fault not-acceptable
 */
export function chosenRendering(accept: string | undefined, others: readonly string[]): string | undefined {
  if (accept === undefined || accept === '') return undefined;
  const ranges = accept.split(',').map(readRange);
  const offered = [JSON_TYPE, ...others];
  const best = offered
    .map((type) => ({ type, quality: qualityOf(type, ranges) }))
    .reduce((one, other) => (other.quality > one.quality ? other : one));
  if (best.quality === 0) throw new Fault('not-acceptable', `The answer can be ${offered.join(' or ')}.`);
  return best.type === JSON_TYPE ? undefined : best.type;
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((each) => each.startsWith('q='))?.slice(2);
  const quality = q === undefined ? 1 : Number(q);
  return { type, quality: Number.isFinite(quality) ? Math.min(1, Math.max(0, quality)) : 0 };
}

/** The most specific range that fits decides. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  for (const name of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const range = ranges.find((each) => each.type === name);
    if (range) return range.quality;
  }
  return 0;
}

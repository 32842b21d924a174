// The rules for a narrative's XHTML: one div, only formatting elements, nothing that runs or loads by itself.
// https://hl7.org/fhir/R4/narrative.html#xhtml

const ELEMENTS = new Set(
  (
    'a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ' +
    'li ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var kbd bdo del ins'
  ).split(' '),
);

const ATTRIBUTES = new Set(
  (
    'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset ' +
    'cite class color colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name ' +
    'nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign value vspace ' +
    'width xml:lang xml:space xmlns xmlns:xlink'
  ).split(' '),
);

const TAG =
  /<(?:!--(?:(?!--)[\s\S])*-->|(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>)/y;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const UNSAFE_LINK = /^\s*(?:(?:java|vb|live)script|data:(?!image\/(?:png|gif|jpeg)[;,]))/i;

/** What is wrong with the XHTML, in a few words; undefined when nothing is. Takes time in proportion to its length. */
export function narrativeProblem(xhtml: string): string | undefined {
  const text = xhtml.trim();
  if (!/^<div[\s/>]/.test(text)) return 'it must be a single div element';
  const open: string[] = [];
  let content = false;
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '<') {
      const next = text.indexOf('<', at);
      const end = next < 0 ? text.length : next;
      if (open.length === 0) return 'there is text outside the div';
      content ||= text.slice(at, end).trim() !== '';
      at = end;
      continue;
    }
    TAG.lastIndex = at;
    const tag = TAG.exec(text);
    if (!tag) return 'it is not well-formed XHTML';
    const problem = tag[2] === undefined ? undefined : applyTag(tag, open, at);
    if (problem !== undefined) return problem;
    content ||= tag[2] === 'img';
    at = TAG.lastIndex;
  }
  if (open.length > 0) return `the element ${open.at(-1)} is not closed`;
  return content ? undefined : 'the div has no content';
}

/** As a browser reads an address: character references resolved, control characters and line ends left out. */
function asRead(value: string): string {
  return (
    value
      .replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?/gi, (_, hex?: string, decimal?: string) => {
        const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
        return point <= 0x10ffff ? String.fromCodePoint(point) : '';
      })
      .replace(/&(?:tab|newline);/gi, '')
      .replace(/&colon;/gi, ':')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to leave out
      .replace(/[\x00-\x1f\x7f]/g, '')
  );
}

function applyTag(tag: RegExpExecArray, open: string[], at: number): string | undefined {
  const [, closing, name = '', attributes = '', empty] = tag;
  if (closing) return open.pop() === name ? undefined : `the element ${name} is closed but not open`;
  if (!ELEMENTS.has(name)) return `the element ${name} is not allowed`;
  if (open.length === 0 && at > 0) return 'it must be a single div element';
  for (const [, key = '', double, single] of attributes.matchAll(ATTRIBUTE)) {
    if (!ATTRIBUTES.has(key)) return `the attribute ${key} is not allowed`;
    const value = double ?? single ?? '';
    if ((key === 'href' || key === 'src') && UNSAFE_LINK.test(asRead(value))) return `the ${key} must not run code`;
  }
  if (!empty) open.push(name);
  return undefined;
}

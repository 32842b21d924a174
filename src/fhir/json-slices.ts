// The texts of the elements of a list in a JSON document, without parsing it again: a damaged element is judged, and kept,
// as it was written.

/** @param member name of a list that is a member of the document's outermost object; the last one of that name counts */
export function elementsOf(text: string, member: string): string[] {
  let found: string[] = [];
  let depth = 0;
  let name: string | undefined;
  for (let position = 0; position < text.length; position += 1) {
    const character = text[position];
    if (character === '"') {
      const end = endOfString(text, position);
      if (depth === 1) name = text.slice(position + 1, end);
      position = end;
    } else if (character === '[' && depth === 1 && name === member) {
      const list = elementsFrom(text, position);
      found = list.elements;
      position = list.end;
    } else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
  }
  return found;
}

function elementsFrom(text: string, start: number): { elements: string[]; end: number } {
  const elements: string[] = [];
  let depth = 0;
  let from = start + 1;
  const take = (end: number) => {
    const element = text.slice(from, end).trim();
    if (element !== '') elements.push(element);
    from = end + 1;
  };
  for (let position = start; position < text.length; position += 1) {
    const character = text[position];
    if (character === '"') position = endOfString(text, position);
    else if (character === '{' || character === '[') depth += 1;
    else if (character === ',' && depth === 1) take(position);
    else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth > 0) continue;
      take(position);
      return { elements, end: position };
    }
  }
  return { elements, end: text.length };
}

function endOfString(text: string, start: number): number {
  for (let position = start + 1; position < text.length; position += 1) {
    if (text[position] === '\\') position += 1;
    else if (text[position] === '"') return position;
  }
  return text.length;
}

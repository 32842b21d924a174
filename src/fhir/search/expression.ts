// Takes a search parameter's FHIRPath apart: its union branches, and the `where(resolve() is T)` that search answers
// from the text of a reference, because at index time there is nothing to resolve against.

/**
 * The branches of `expression` that can yield something for `type`. R4's own parameters once write the type dateTime
 * with a capital; that is put right.
 * @param type resource type, or undefined when the expression starts inside an element (composite components)
 */
export function branchesFor(expression: string, type: string | undefined): string[] {
  return splitUnion(expression)
    .map((branch) => withoutParentheses(branch).replaceAll('ofType(DateTime)', 'ofType(dateTime)'))
    .filter((branch) => {
      const first = /^\(*([A-Z]\w*)/.exec(branch)?.[1];
      return first === undefined || type === undefined || first === type || first === 'Resource';
    });
}

export interface Branch {
  readonly path: string;
  /** Keep only references to this type. */
  readonly resolvesTo?: string;
}

const RESOLVES = /\.where\(\s*resolve\(\)\s+is\s+(\w+)\s*\)$/;

/** `Task.for.where(resolve() is Patient)` as the path `Task.for` and the type `Patient`. */
export function splitResolve(branch: string): Branch {
  const match = RESOLVES.exec(branch);
  return match?.[1] ? { path: branch.slice(0, match.index), resolvesTo: match[1] } : { path: branch };
}

function splitUnion(expression: string): string[] {
  const branches: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < expression.length; i++) {
    const character = expression[i];
    if (character === "'") quoted = !quoted;
    if (quoted) continue;
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (character === '|' && depth === 0) {
      branches.push(expression.slice(start, i).trim());
      start = i + 1;
    }
  }
  branches.push(expression.slice(start).trim());
  return branches.filter((branch) => branch !== '');
}

/** Without one pair of parentheses that encloses the whole branch. */
function withoutParentheses(branch: string): string {
  if (!branch.startsWith('(') || !branch.endsWith(')')) return branch;
  let depth = 0;
  for (let i = 0; i < branch.length - 1; i++) {
    if (branch[i] === '(') depth++;
    if (branch[i] === ')') depth--;
    if (depth === 0) return branch;
  }
  return branch.slice(1, -1).trim();
}

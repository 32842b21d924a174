// The state of validating one resource, handed to the keywords as `this` (ajv's passContext).

import type { Environment } from '../fhirpath/evaluation.ts';
import { type Issue, type IssueCode, issueOf } from './issue.ts';
import { toExpression } from './location.ts';
import { type Contained, containedById } from './reference-targets.ts';

/** A resource found inside another one, to be validated as its own root. */
export interface Nested {
  readonly resource: unknown;
  readonly pointer: string;
}

/** A check that waits until the structure is known to be right. */
export interface Pending {
  readonly check: (value: unknown, visit: Visit, pointer: string, companion: object | undefined) => void;
  readonly value: unknown;
  readonly pointer: string;
  readonly companion: object | undefined;
}

export interface Visit {
  readonly type: string;
  readonly resource: object;
  /** What rules see as %resource and %rootResource (the container of a contained resource). */
  readonly environment: Environment;
  /** What local references can point at. */
  readonly contained: Contained;
  /** FHIRPath of the resource: its type, or its place in a Bundle, Parameters or container. */
  readonly prefix: string;
  readonly issues: Issue[];
  readonly pending: Pending[];
  readonly nested: Nested[];
  /** Extensions met, with the JSON pointers of their places. */
  readonly extensions: Extended[];
  /** Profiles that were checked, with where: `pointer url`. A profile is reported once for a place. */
  readonly checked: Set<string>;
  /** Ids of elements met. */
  readonly ids: Set<string>;
  /** Whether what is not wrong but worth knowing is reported too. */
  readonly advice: boolean;
}

/** An extension and where it is. */
export interface Extended {
  readonly value: unknown;
  readonly pointer: string;
}

/** @param container the visit of the resource that contains this one */
export function createVisit(
  type: string,
  resource: object,
  prefix: string,
  container: Visit | undefined,
  advice: boolean,
): Visit {
  const environment = { resource, rootResource: container?.resource ?? resource };
  return {
    type,
    resource,
    environment,
    contained: container?.contained ?? containedById(resource),
    prefix,
    issues: [],
    pending: [],
    nested: [],
    extensions: [],
    checked: new Set(),
    ids: new Set(),
    advice,
  };
}

/** Records an issue at a place given as JSON pointer. */
export function report(
  visit: Visit,
  severity: Issue['severity'],
  code: IssueCode,
  text: string,
  pointer: string,
): void {
  visit.issues.push(issueOf(severity, code, text, toExpression(pointer, visit.type, visit.prefix)));
}

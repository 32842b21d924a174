// A `_filter` as a tree, as the grammar has it. https://hl7.org/fhir/R4/search_filter.html
export const OPERATORS = [
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'lt',
  'ge',
  'le',
  'ap',
  'sa',
  'eb',
  'pr',
  'po',
  'ss',
  'sb',
  'in',
  'ni',
  're',
] as const;

export type FilterOperator = (typeof OPERATORS)[number];

export type FilterExpression =
  | { readonly kind: 'and' | 'or'; readonly left: FilterExpression; readonly right: FilterExpression }
  | { readonly kind: 'not'; readonly of: FilterExpression }
  | FilterTest;

/** `path operator value` */
export interface FilterTest {
  readonly kind: 'test';
  readonly path: readonly FilterStep[];
  readonly operator: FilterOperator;
  readonly value: string;
}

/** `name`, `name:Type` or, followed by another step, `name[filter]`. */
export interface FilterStep {
  readonly name: string;
  readonly type?: string;
  readonly where?: FilterExpression;
}

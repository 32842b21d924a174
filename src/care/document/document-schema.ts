// A plan as a document, and a document that is brought in, as an application sends and gets them.
import Type, { type Static } from 'typebox';
import { LinkedOut } from '../linked.ts';

const Facts = Type.Array(Type.Object({ label: Type.String(), text: Type.String() }));

export const DocumentView = Type.Object({
  identifier: Type.String({ description: 'Of the FHIR document' }),
  produced: Type.String({ description: 'When anything in it last changed' }),
  language: Type.Optional(Type.String({ description: 'That the patient would rather read, as the record says' })),
  isComplete: Type.Boolean({ description: 'False when something is left out that who asks may not read' }),
  withheld: Type.Array(Type.String(), { description: 'Sections of which nothing may be read' }),
  title: Type.String(),
  facts: Facts,
  sections: Type.Array(
    Type.Object({
      heading: Type.String(),
      items: Type.Array(Type.Object({ text: Type.String(), facts: Facts })),
    }),
  ),
  document: Type.Object({}, { description: 'The FHIR document', additionalProperties: true }),
});
export type DocumentView = Static<typeof DocumentView>;

const Take = Type.Enum(['ours', 'theirs']);

export const ImportDocument = Type.Object(
  {
    document: Type.Object(
      { resourceType: Type.Literal('Bundle') },
      { additionalProperties: true, description: 'A FHIR document: a Bundle of type document' },
    ),
    decisions: Type.Optional(
      Type.Array(
        Type.Object(
          {
            item: Type.String({ minLength: 1, maxLength: 500, description: 'As `differences` names it' }),
            take: Take,
          },
          { additionalProperties: false },
        ),
        { maxItems: 1_000, description: 'About the differences that the answer 409 has told of' },
      ),
    ),
  },
  { additionalProperties: false },
);
export type ImportDocument = Static<typeof ImportDocument>;

/** Both changed it, each in another way, and no policy says who is right. */
export interface Difference {
  /** Names it in `decisions`. */
  readonly item: string;
  /** `Goal/12` */
  readonly resource: string;
  /** Element without the type, e.g. `lifecycleStatus`. */
  readonly element: string;
  readonly places: readonly {
    readonly path: string;
    readonly base?: unknown;
    readonly ours?: unknown;
    readonly theirs?: unknown;
  }[];
  /** What may be decided. */
  readonly take: readonly ('ours' | 'theirs')[];
}

export const ImportView = Type.Object({
  id: Type.String({ description: 'Of the DocumentReference that keeps the document' }),
  version: Type.String(),
  identifier: Type.Optional(Type.String({ description: 'That the document has where it is from' })),
  title: Type.Optional(Type.String()),
  custodian: Type.Optional(LinkedOut),
  imported: Type.Optional(Type.String()),
  resources: Type.Array(
    Type.Object({
      reference: Type.String({ description: 'Here' }),
      source: Type.String({ description: 'Where it is from' }),
      isChanged: Type.Boolean({ description: 'Made or changed by this document' }),
    }),
  ),
  leftOut: Type.Array(
    Type.Object({ source: Type.String(), type: Type.String() }, { description: 'Kept in the document only' }),
  ),
});
export type ImportView = Static<typeof ImportView>;

export const ImportList = Type.Object({ items: Type.Array(ImportView) });

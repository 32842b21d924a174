// Expressions of a form, evaluated where they stand: with the response, the launch context, and the variables of the
// items they are in. https://hl7.org/fhir/uv/sdc/expressions.html
import type { Expression, QuestionnaireResponse } from '@medplum/fhirtypes';
import { asFault, Fault } from '../../fault.ts';
import { compileExpression, type Evaluator } from '../../fhir/fhirpath/compile.ts';
import type { Environment } from '../../fhir/fhirpath/evaluation.ts';
import { type Collection, EMPTY, type TypedValue } from '../../fhir/fhirpath/typed-value.ts';
import { keepRecent } from '../../fhir/terminology/recent.ts';
import { EXT, expressionsOf, extensionsOf } from './extensions.ts';
import type { Form } from './form.ts';
import { layOut, type Place } from './places.ts';
import { weightsIn } from './weights.ts';

/** What is known besides the response. */
export interface Surroundings {
  readonly now: Temporal.Instant;
  /** IANA zone of today(). */
  readonly zone: string;
  /** Resources by the name of their launch context: `patient`, `user`, `encounter`. */
  readonly launch?: Readonly<Record<string, unknown>>;
  /** What queries (x-fhir-query) found, by the expression that asked. */
  readonly fetched?: ReadonlyMap<Expression, unknown>;
  readonly memberOf?: Environment['memberOf'];
}

/** What could not be evaluated, and where. The text carries no answer. */
export interface Problem {
  /** linkIds from outside in; empty for the form as a whole. */
  readonly path: string;
  readonly text: string;
}

/** One response with its form, ready to be asked. Made anew after the response was changed. */
export interface Session {
  readonly form: Form;
  readonly response: QuestionnaireResponse;
  readonly places: readonly Place[];
  readonly problems: readonly Problem[];
  /** @param more variables that are only known here */
  ask(expression: Expression, at: Place | undefined, more?: Readonly<Record<string, unknown>>): Collection;
}

const FHIRPATH = 'text/fhirpath';
const LONGEST = 10_000;

/** Characters of expressions whose compiled form is kept. */
const KEPT = 500_000;
const compiled = keepRecent<Evaluator>(KEPT);

export function openSession(form: Form, response: QuestionnaireResponse, surroundings: Surroundings): Session {
  const places = layOut(form, response);
  const problems: Problem[] = [];
  const base: Environment = {
    ...launchedIn(form, surroundings),
    resource: response,
    rootResource: response,
    questionnaire: form.questionnaire,
    now: surroundings.now,
    zone: surroundings.zone,
    weightOf: weightsIn(form, places),
    ...(surroundings.memberOf ? { memberOf: surroundings.memberOf } : {}),
  };
  const known = new Map<Place | undefined, Environment>();

  function ask(
    expression: Expression,
    at: Place | undefined,
    more: Readonly<Record<string, unknown>> = {},
  ): Collection {
    return evaluate(expression, at, { ...environmentAt(at), ...more });
  }

  function evaluate(expression: Expression, at: Place | undefined, environment: Environment): Collection {
    const fetched = surroundings.fetched?.get(expression);
    if (fetched !== undefined) return [resourceValue(fetched)];
    const { language, expression: text } = expression;
    if (language === 'application/x-fhir-query') return EMPTY;
    try {
      if (language !== FHIRPATH || text === undefined)
        throw new Fault('invalid', `${language ?? 'a language without a name'} is not known here.`);
      return evaluatorOf(text)(focusOf(at, response), { ...environment, context: focusOf(at, response) });
    } catch (error) {
      problems.push({
        path: at?.item.path ?? '',
        text: `An expression cannot be evaluated: ${asFault(error).message}`,
      });
      return EMPTY;
    }
  }

  /** Each item adds its variables to those of what it is in. */
  function environmentAt(at: Place | undefined): Environment {
    const ready = known.get(at);
    if (ready) return ready;
    let environment: Environment = at ? environmentAt(at.parent) : base;
    if (at) environment = { ...environment, qitem: { type: 'Questionnaire.item', value: at.item.definition } };
    for (const variable of expressionsOf(at ? at.item.definition : form.questionnaire, EXT.variable)) {
      if (!variable.name) continue;
      environment = { ...environment, [variable.name]: evaluate(variable, at, environment) };
    }
    known.set(at, environment);
    return environment;
  }

  return { form, response, places, problems, ask };
}

/** What a form expects but was not given is empty rather than unknown. */
function launchedIn({ questionnaire }: Form, { launch }: Surroundings): Record<string, unknown> {
  const names = extensionsOf(questionnaire, EXT.launchContext).flatMap(({ extension }) => {
    const name = extension?.find(({ url }) => url === 'name');
    return name?.valueCoding?.code ?? name?.valueId ?? [];
  });
  return { ...Object.fromEntries(names.map((name) => [name, []])), ...launch };
}

function evaluatorOf(text: string): Evaluator {
  if (text.length > LONGEST) throw new Fault('invalid', `it is longer than ${LONGEST} characters.`);
  return compiled(text, () => ({ value: compileExpression(text, 'Resource'), weight: text.length + 200 }));
}

function focusOf(at: Place | undefined, response: QuestionnaireResponse): TypedValue {
  if (!at) return resourceValue(response);
  return { type: 'QuestionnaireResponse.item', value: at.given ?? { linkId: at.item.linkId } };
}

export function resourceValue(resource: unknown): TypedValue {
  return { type: (resource as { resourceType: string }).resourceType, value: resource };
}

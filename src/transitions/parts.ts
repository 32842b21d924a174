// What the parts of transitions share: the store, the clock, the rules read from profiles/, and who they act as.
import type {
  ActivityDefinition,
  CodeSystem,
  ConceptMap,
  Encounter,
  PlanDefinition,
  Resource,
  ValueSet,
} from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import { ofType } from '../care/profiles.ts';
import type { HasLeft } from '../care/team/has-left.ts';
import { createComorbidityTable } from '../care/transition/comorbidity.ts';
import { createAcuityReader, createDestinationReader, type Destination } from '../care/transition/discharge.ts';
import { createPayerReader, type PayerReader } from '../care/transition/payer.ts';
import { type Protocol, readProtocols } from '../care/transition/protocol.ts';
import type { RiskRules } from '../care/transition/risk-assessment.ts';
import type { RiskMethod } from '../care/transition/risk-method.ts';
import type { Clock } from '../clock.ts';
import type { SearchQuery } from '../fhir/search/query.ts';
import type { Actor, Store } from '../store/store.ts';
import type { Emit } from './events.ts';
import type { Facilities } from './facilities.ts';
import type { Pulse } from './pulse.ts';

export interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly facilities: Facilities;
  readonly rules: Rules;
  /** `Type?parameters` as the store's search takes it. */
  readonly parse: (query: string) => SearchQuery;
  readonly log: Logger;
  readonly emit: Emit;
  readonly pulse: Pulse;
  readonly mostPerSweep: number;
  readonly hasLeft: HasLeft;
}

export interface Rules extends RiskRules {
  readonly protocols: readonly Protocol[];
  readonly destinationOf: (encounter: Encounter) => Destination;
  readonly payersOf: PayerReader;
}

export const ACTOR: Actor = { reference: 'Device/baton-transitions', kind: 'service' };

/** @throws Fault unprocessable when an artefact is missing or cannot be carried out */
export function readRules(artifacts: readonly Resource[], methods: readonly RiskMethod[]): Rules {
  const plans: PlanDefinition[] = ofType(artifacts, 'PlanDefinition');
  const activities: ActivityDefinition[] = ofType(artifacts, 'ActivityDefinition');
  const codeSystems: CodeSystem[] = ofType(artifacts, 'CodeSystem');
  const maps: ConceptMap[] = ofType(artifacts, 'ConceptMap');
  const valueSets: ValueSet[] = ofType(artifacts, 'ValueSet');
  return {
    protocols: readProtocols(plans, activities),
    methods,
    comorbidities: createComorbidityTable(codeSystems),
    isAcute: createAcuityReader(valueSets),
    destinationOf: createDestinationReader(maps),
    payersOf: createPayerReader(maps),
  };
}

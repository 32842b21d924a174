// Reads from the store what the risk methods in use ask about a stay.
import type { Encounter, Observation, Procedure, ResourceType } from '@medplum/fhirtypes';
import { parseVersion } from '../care/stored.ts';
import type { RiskData } from '../care/transition/risk-inputs.ts';
import type { ComponentOf, RiskComponent, RiskMethod } from '../care/transition/risk-method.ts';
import { admissionOf } from '../care/transition/stay-time.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import type { Store } from '../store/store.ts';

/** Only what some method asks for; a day more on either side for dates without a time. */
export async function readRiskData(
  store: Store,
  { encounter, patient, anchor }: TransitionContext,
  methods: readonly RiskMethod[],
): Promise<RiskData> {
  const admission = admissionOf({ encounter, anchor });
  const of: [string, string] = ['patient', `Patient/${patient.id}`];
  const dayBefore = (from: Temporal.Instant) => text(from.subtract({ hours: 24 }));
  const during: [string, string][] = [
    ...(admission ? [['date', `ge${dayBefore(admission)}`] as [string, string]] : []),
    ['date', `le${text(anchor.discharge.add({ hours: 24 }))}`],
  ];
  const earlier = componentsOf(methods, 'earlier-encounters');
  const codes = componentsOf(methods, 'last-result').flatMap((component) => component.codes);
  const wantsProcedures = componentsOf(methods, 'procedures').length > 0;

  const find = async <R>(type: ResourceType, pairs: [string, string][]): Promise<R[]> => {
    const versions = await store.find(`${type}?${new URLSearchParams([of, ...pairs])}`);
    return versions.map((version) => parseVersion(version, type) as R);
  };
  const [earlierEncounters, results, dated, own] = await Promise.all([
    admission && earlier.length > 0 ? find<Encounter>('Encounter', earlierThan(admission, anchor.zone, earlier)) : [],
    codes.length > 0 ? find<Observation>('Observation', [['code', [...new Set(codes)].join(',')], ...during]) : [],
    wantsProcedures ? find<Procedure>('Procedure', during) : [],
    wantsProcedures ? find<Procedure>('Procedure', [['encounter', `Encounter/${encounter.id}`]]) : [],
  ]);
  const procedures = [...new Map([...dated, ...own].map((one) => [one.id, one])).values()];
  return { earlierEncounters, results, procedures };
}

/** Codes of results that some method asks for, as `SYSTEM|CODE`. */
export function resultCodes(methods: readonly RiskMethod[]): ReadonlySet<string> {
  return new Set(componentsOf(methods, 'last-result').flatMap(({ codes }) => codes));
}

function componentsOf<Input extends RiskComponent['input']>(
  methods: readonly RiskMethod[],
  input: Input,
): ComponentOf<Input>[] {
  const all = methods.flatMap(({ components }) => components);
  return all.filter((component): component is ComponentOf<Input> => component.input === input);
}

function earlierThan(
  admission: Temporal.Instant,
  zone: string,
  components: readonly ComponentOf<'earlier-encounters'>[],
): [string, string][] {
  const months = Math.max(...components.map((component) => component.months));
  const earliest = admission.toZonedDateTimeISO(zone).subtract({ months, days: 1 }).toInstant();
  return [
    ['class', [...new Set(components.flatMap(({ classes }) => classes))].join(',')],
    ['date', `ge${text(earliest)}`],
    ['date', `le${text(admission)}`],
  ];
}

const text = (instant: Temporal.Instant) => instant.toString({ fractionalSecondDigits: 3 });

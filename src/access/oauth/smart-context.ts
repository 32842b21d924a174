// What a launch is about, as it goes beside the access token.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token
import type { StateTable } from './state-table.ts';

export interface SmartContext {
  /** Id of the patient. */
  readonly patient?: string | undefined;
  /** Id of the encounter. */
  readonly encounter?: string | undefined;
  readonly needPatientBanner?: boolean | undefined;
  readonly intent?: string | undefined;
  /** Further resources that are open, each with a `reference`. */
  readonly fhirContext?: readonly { readonly reference: string }[] | undefined;
}

export interface Contexts {
  /** @param grantId the grant that the tokens belong to @param expires seconds of the epoch */
  keep(grantId: string, context: SmartContext, expires: number): Promise<void>;
  of(grantId: string | undefined): Promise<SmartContext>;
}

export function createContexts(table: StateTable): Contexts {
  return {
    keep: (grantId, context, expires) => table.put('Context', grantId, { payload: context, expires, grantId }),
    async of(grantId) {
      const row = grantId === undefined ? undefined : await table.find('Context', grantId);
      return (row?.payload ?? {}) as SmartContext;
    },
  };
}

/** The members of a token response. */
export function responseMembers(context: SmartContext): Record<string, unknown> {
  const { patient, encounter, needPatientBanner, intent, fhirContext } = context;
  return {
    ...(patient === undefined ? {} : { patient, need_patient_banner: needPatientBanner ?? true }),
    ...(encounter === undefined ? {} : { encounter }),
    ...(intent === undefined ? {} : { intent }),
    ...(fhirContext === undefined || fhirContext.length === 0 ? {} : { fhirContext }),
  };
}

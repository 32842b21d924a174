// Every operation that is answered. Adding one here is all it takes.
import { APPLY_ACTIVITY, APPLY_PLAN } from './apply.ts';
import { BREAK_GLASS } from './break-glass.ts';
import { EVERYTHING } from './everything.ts';
import { EVIDENCE } from './evidence.ts';
import { EXPAND } from './expand.ts';
import { EXPORT_DOCUMENT } from './export-document.ts';
import { EXTRACT } from './extract.ts';
import { LOOKUP } from './lookup.ts';
import { META, META_ADD, META_DELETE } from './meta.ts';
import type { Operation } from './operation.ts';
import { POPULATE } from './populate.ts';
import { PROCESS_MESSAGE } from './process-message.ts';
import { SUBSCRIPTION_EVENTS } from './subscription-events.ts';
import { SUBSCRIPTION_STATUS } from './subscription-status.ts';
import { SUBSUMES } from './subsumes.ts';
import { TRANSLATE } from './translate.ts';
import { VALIDATE } from './validate.ts';
import { VALIDATE_CODE_IN_CODE_SYSTEM, VALIDATE_CODE_IN_VALUE_SET } from './validate-code.ts';

export const OPERATIONS: readonly Operation[] = [
  EVERYTHING,
  EXPAND,
  VALIDATE_CODE_IN_VALUE_SET,
  VALIDATE_CODE_IN_CODE_SYSTEM,
  LOOKUP,
  SUBSUMES,
  TRANSLATE,
  VALIDATE,
  META,
  META_ADD,
  META_DELETE,
  POPULATE,
  EXTRACT,
  BREAK_GLASS,
  EXPORT_DOCUMENT,
  EVIDENCE,
  APPLY_PLAN,
  APPLY_ACTIVITY,
  PROCESS_MESSAGE,
  SUBSCRIPTION_STATUS,
  SUBSCRIPTION_EVENTS,
];

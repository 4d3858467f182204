// Forge's linters and its validation of manifests.
import { forgeProcess } from './forge-process.mjs';

/** Returns the findings of the linters as `lint`, and the errors and warnings of the validation as `manifest`. */
export const findings = forgeProcess('forge-lint.cjs');

// The package's entry for the panel of app developers: `import('sealwire/devtools')`. Importing it defines the element
// `<sealwire-devtools>` where there is a document, and has no other side effect.

import { defineElement } from './devtools/element.js';

defineElement();

export type { DevtoolsElement } from './devtools/element.js';
export { showDevtools, type DevtoolsOptions } from './devtools/show.js';

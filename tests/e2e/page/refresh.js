// What a development server puts in before React, so that components can be replaced while they are mounted.
import * as refresh from 'react-refresh/runtime';

refresh.injectIntoGlobalHook(globalThis);

export { refresh };

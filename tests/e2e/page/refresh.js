// The hook that a development server installs before React, so that it can replace mounted components.
import * as refresh from 'react-refresh/runtime';

refresh.injectIntoGlobalHook(globalThis);

export { refresh };

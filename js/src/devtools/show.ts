// showDevtools(): adds the panel to the page.

import { pageClient, type DevtoolsClient } from './element.js';
import { invalid } from './invalid.js';

/** The options of `showDevtools()`. */
export interface DevtoolsOptions {
  /** True to open the panel. The default is false: a bar, which opens with a click or the Enter key. */
  open?: boolean;
}

/**
 * Shows the panel at the end of the page: the connection, the subscriptions, the decrypted messages and the publications of
 * a client, live. It is for development: anyone who looks at the screen can read the messages.
 *
 * @param client - The client to show. The default is `realtime`, the client of the page.
 * @param options - Whether the panel is open.
 * @returns A function that removes the panel.
 * @throws SealwireError with the code `INVALID_ARGUMENT` for a wrong argument, and where there is no document, as in the
 * web worker of a UI Kit app.
 *
 * @example
 * ```ts
 * if (import.meta.env.DEV) {
 *   const { showDevtools } = await import('sealwire/devtools');
 *   showDevtools();
 * }
 * ```
 */
export function showDevtools(client?: DevtoolsClient, options?: DevtoolsOptions): () => void {
  if (typeof document === 'undefined') {
    throw invalid(
      'showDevtools() needs a document, and a web worker has none. Call it in a page of Custom UI, for example behind `typeof document !== "undefined"`.',
    );
  }
  const { open = false } = options ?? {};
  if (typeof open !== 'boolean') throw invalid('The option open must be true or false.');
  const element = document.createElement('sealwire-devtools');
  element.client = client ?? pageClient();
  element.open = open;
  document.body.append(element);
  return () => element.remove();
}

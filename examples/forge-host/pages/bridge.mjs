// Answers the bridge of an iframe. The iframe that sends a call determines the user, never the content of the call.
import { currentTheme } from './theme.mjs';

// Forge gives the same permissions to the iframe of a Custom UI.
export const SANDBOX =
  'allow-downloads allow-forms allow-modals allow-pointer-lock allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-scripts';

/**
 * Answers the calls of an iframe, and adjusts its height to its content where `adjustHeight` says so.
 * @param {HTMLIFrameElement} frame
 * @param {{ member: string, gadget: string }} shown the ids of the user and of the gadget in whose name the iframe calls
 * @param {{ adjustHeight?: boolean }} [options]
 * @returns {{ post: (message: object) => void }} sends a message to the iframe
 */
export function connectBridge(frame, shown, { adjustHeight = false } = {}) {
  const { origin } = new URL(frame.src);
  const post = (/** @type {object} */ message) =>
    frame.contentWindow?.postMessage({ forge: 'host', ...message }, origin);

  window.addEventListener('message', async (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin) return;
    if (event.data?.forge !== 'bridge') return;
    const { id, command, data, height } = event.data;
    if (height !== undefined) {
      if (adjustHeight) frame.style.height = `${Math.min(Number(height) || 0, 900)}px`;
      return;
    }
    try {
      post({ id, result: await answer(shown, command, data) });
    } catch (error) {
      post({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  return { post };
}

/**
 * @param {{ member: string, gadget: string }} shown
 * @param {string} command the command of `@forge/bridge`
 * @param {any} data
 * @returns {Promise<unknown>}
 */
async function answer(shown, command, data) {
  switch (command) {
    case 'invoke': {
      const { functionKey, payload } = data;
      const { result, error } = await ask('/api/invoke', { ...shown, functionKey, payload });
      if (error) throw new Error(error);
      return result;
    }
    case 'getContext':
      return {
        ...(await ask(`/api/context?${new URLSearchParams(shown)}`)),
        theme: { colorMode: currentTheme() },
      };
    case 'theme':
      return currentTheme();
    case 'emitReadyEvent':
      return undefined;
    default:
      throw new Error(`This local host does not implement the bridge command '${command}'.`);
  }
}

/**
 * @param {string} path
 * @param {object} [body]
 */
async function ask(path, body) {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, body && init);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

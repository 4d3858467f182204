// Shows the dashboards with one iframe for each user, and answers the iframes' bridges. The iframe that sends a call
// determines the user, never the content of the call.
import { byId, element } from './element.mjs';
import { currentTheme } from './theme.mjs';

// Forge gives the same permissions to the iframe of a Custom UI.
const SANDBOX =
  'allow-downloads allow-forms allow-modals allow-pointer-lock allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-scripts';

/** @typedef {import('./host.mjs').ShownMember} ShownMember */

/** @param {{ title: string, members: ShownMember[] }} demo */
export function showDashboards({ title, members }) {
  const place = byId('dashboards', HTMLElement);
  /** @type {Map<string, HTMLElement>} */
  const dashboards = new Map();
  return members.map((member) => {
    const { dashboard } = member;
    let windows = dashboards.get(dashboard.id);
    if (!windows) {
      windows = element('div', { class: 'windows' });
      dashboards.set(dashboard.id, windows);
      const heading = element('h2', {}, `${dashboard.name} dashboard`);
      const id = element('span', {}, `id ${dashboard.id}`);
      place.append(element('section', { class: 'dashboard' }, element('header', {}, heading, id), windows));
    }
    return showMember(windows, member, title);
  });
}

/**
 * @param {HTMLElement} place
 * @param {ShownMember} member
 * @param {string} title
 */
function showMember(place, member, title) {
  const { origin } = new URL(member.frame);
  const frame = element('iframe', {
    id: `frame-${member.id}`,
    title: `${title}, seen by ${member.displayName}`,
    sandbox: SANDBOX,
    src: member.frame,
  });
  const bar = element(
    'header',
    {},
    element('span', { class: `person ${member.id}`, 'aria-hidden': 'true' }, member.displayName[0]),
    element('strong', {}, member.displayName.split(' ')[0]),
    element('span', { class: 'browser' }, `${member.displayName.split(' ')[0]}’s browser`),
  );

  const post = (/** @type {object} */ message) =>
    frame.contentWindow?.postMessage({ forge: 'host', ...message }, origin);

  window.addEventListener('message', async (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin) return;
    if (event.data?.forge !== 'bridge') return;
    const { id, command, data, height } = event.data;
    if (height !== undefined) return void (frame.style.height = `${Math.min(Number(height) || 0, 900)}px`);
    try {
      post({ id, result: await answer(member.id, command, data) });
    } catch (error) {
      post({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });

  place.append(element('article', { class: 'window' }, bar, frame));
  return { post };
}

/**
 * @param {string} member
 * @param {string} command the command of `@forge/bridge`
 * @param {any} data
 * @returns {Promise<unknown>}
 */
async function answer(member, command, data) {
  switch (command) {
    case 'invoke': {
      const { functionKey, payload } = data;
      const { result, error } = await ask('/api/invoke', { member, functionKey, payload });
      if (error) throw new Error(error);
      return result;
    }
    case 'getContext':
      return { ...(await ask(`/api/context?member=${member}`)), theme: { colorMode: currentTheme() } };
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

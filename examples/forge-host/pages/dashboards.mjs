// Shows the dashboards, with the gadgets of each user in iframes.
import { connectBridge, SANDBOX } from './bridge.mjs';
import { byId, element } from './element.mjs';

/** @typedef {import('./host.mjs').ShownMember} ShownMember */

/** @param {ShownMember[]} members */
export function showDashboards(members) {
  const place = byId('dashboards', HTMLElement);
  /** @type {Map<string, HTMLElement>} */
  const dashboards = new Map();
  return members.flatMap((member) => {
    const { dashboard } = member;
    let windows = dashboards.get(dashboard.id);
    if (!windows) {
      windows = element('div', { class: 'windows' });
      dashboards.set(dashboard.id, windows);
      const heading = element('h2', {}, `${dashboard.name} dashboard`);
      const id = element('span', {}, `id ${dashboard.id}`);
      place.append(element('section', { class: 'dashboard' }, element('header', {}, heading, id), windows));
    }
    return showMember(windows, member);
  });
}

/**
 * @param {HTMLElement} place
 * @param {ShownMember} member
 */
function showMember(place, member) {
  const name = member.displayName.split(' ', 1).join('');
  const bar = element(
    'header',
    {},
    element('span', { class: `person ${member.id}`, 'aria-hidden': 'true' }, member.displayName[0]),
    element('strong', {}, name),
    element('span', { class: 'browser' }, `${name}’s browser`),
  );
  const shown = member.gadgets.map(({ key, title, src }) => {
    const frame = element('iframe', {
      id: `frame-${member.id}-${key}`,
      title: `${title}, seen by ${member.displayName}`,
      sandbox: SANDBOX,
      // The gadgets show their panel for developers with `?devtools`.
      src: src + location.search,
    });
    return { frame, ...connectBridge(frame, { member: member.id, gadget: key }, { adjustHeight: true }) };
  });
  place.append(element('article', { class: 'window' }, bar, ...shown.map(({ frame }) => frame)));
  return shown;
}

// Shows the dashboards with one iframe for each user.
import { connectBridge, SANDBOX } from './bridge.mjs';
import { byId, element } from './element.mjs';

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

  const { post } = connectBridge(frame, member, { adjustHeight: true });

  place.append(element('article', { class: 'window' }, bar, frame));
  return { post };
}

// The script of the host page.
import { showCluster } from './cluster-view.mjs';
import { showDashboards } from './dashboards.mjs';
import { showRelay } from './relay-view.mjs';
import { followTheme } from './theme.mjs';

/** @typedef {{ key: string, title: string, src: string }} ShownGadget */
/** @typedef {import('../src/platform/members.mjs').Member & { gadgets: ShownGadget[], counter?: string }} ShownMember */

/** @type {{ members: ShownMember[] }} */
const demo = await (await fetch('/api/demo')).json();

const frames = showDashboards(demo.members);
followTheme(frames);
if (demo.members.every(({ counter }) => counter)) showCluster(demo.members);
showRelay(demo.members);

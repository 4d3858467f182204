// The script of the host page.
import { showDashboards } from './dashboards.mjs';
import { showRelay } from './relay-view.mjs';
import { followTheme } from './theme.mjs';

/** @typedef {import('../src/platform/members.mjs').Member & { frame: string }} ShownMember */

/** @type {{ title: string, members: ShownMember[] }} */
const demo = await (await fetch('/api/demo')).json();

const frames = showDashboards(demo);
followTheme(frames);
showRelay(demo.members);

// The Jira site of the demo: its users, and the dashboard that each of them sees. As on the platform, the app learns its user
// from here and never from its page.

export const SITE = {
  cloudId: '5f0c2e7e-8a34-4b8f-9f0b-2a1c7e1d9b40',
  installContext: 'ari:cloud:jira::site/5f0c2e7e-8a34-4b8f-9f0b-2a1c7e1d9b40',
  siteUrl: 'https://orbit.atlassian.net',
  installationId: 'b0a7a9f4-4e0e-4c56-8d6e-96f9c9f1d0a3',
  environmentId: '0c3d8e0e-6b1f-4a5c-9d67-1f1d2b3c4d5e',
};

/** The time zone in the profile of every member. */
export const TIME_ZONE = 'Europe/London';

/**
 * @typedef {object} Member
 * @property {string} id
 * @property {string} accountId
 * @property {string} displayName
 * @property {{ id: string, name: string }} dashboard
 */

const PAYMENTS = { id: '10001', name: 'Payments' };
const PLATFORM = { id: '10002', name: 'Platform' };

/** @type {Member[]} */
export const MEMBERS = [
  {
    id: 'anna',
    accountId: '712020:5b7c1d2e-0a8c-4b2f-8a5e-3f2d1c0b9a84',
    displayName: 'Anna Lindqvist',
    dashboard: PAYMENTS,
  },
  {
    id: 'ben',
    accountId: '712020:c2a9f7d4-6e15-4c3b-b7a0-91d8e4f60370',
    displayName: 'Ben Okafor',
    dashboard: PAYMENTS,
  },
  {
    id: 'cleo',
    accountId: '712020:8e3f6a15-2d9b-47c8-a1f4-5c7b0e9d2465',
    displayName: 'Cleo Marchetti',
    dashboard: PLATFORM,
  },
];

/** @param {string} id */
export function memberNamed(id) {
  return MEMBERS.find((member) => member.id === id);
}

/**
 * Returns the result of `view.getContext()` in a member's gadget.
 * @param {Member} member
 * @param {{ key: string, place: number }} gadget the module, and its place on the dashboard
 */
export function contextOf({ accountId, dashboard }, { key: moduleKey, place }) {
  // As in Jira, the id is a number that the site has once.
  const gadget = { id: String(Number(dashboard.id) * 10 + place) };
  return {
    accountId,
    cloudId: SITE.cloudId,
    siteUrl: SITE.siteUrl,
    environmentId: SITE.environmentId,
    environmentType: 'DEVELOPMENT',
    moduleKey,
    localId: `${SITE.installContext}/${moduleKey}/${gadget.id}`,
    locale: 'en-GB',
    timezone: TIME_ZONE,
    extension: {
      type: 'jira:dashboardGadget',
      entryPoint: 'view',
      dashboard: { id: dashboard.id },
      gadget,
    },
  };
}

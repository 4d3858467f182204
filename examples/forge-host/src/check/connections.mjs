// The claims about the connections of the gadgets.
import { MEMBERS } from '../platform/members.mjs';
import { same } from './assertions.mjs';

/**
 * @param {import('./check.mjs').Claim} claim
 * @param {import('../relay/recorder.mjs').Recorder} recorder
 * @param {number} opened the number of WebSockets that the page opened
 */
export async function claimConnections(claim, { rows }, opened) {
  const hellos = rows.filter(({ kind }) => kind === 'Hello');
  const modules = (/** @type {typeof hellos} */ found) =>
    found.map(({ scope }) => new Map(Object.entries(scope ?? {})).get('module')).sort();
  const sentence = `${hellos.length} gadgets opened ${opened} WebSockets: both gadgets of a person share one`;
  await claim(`${sentence}, and each has its own session on it`, () => {
    same([hellos.length, opened], [2 * MEMBERS.length, MEMBERS.length]);
    for (const { accountId } of MEMBERS) {
      const own = hellos.filter((hello) => hello.accountId === accountId);
      same(new Set(own.map(({ connection }) => connection)).size, 1);
      same(own.map(({ session }) => session).sort(), [0, 1]);
      same(modules(own), ['absences', 'rotation']);
    }
  });
}

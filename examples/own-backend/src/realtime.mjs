// Sealwire on a server of the app's own: this code makes the context of each call, from the user's session.
import { createRealtime } from 'sealwire/resolver';
import { ROOMS, isMember } from './rooms.mjs';

/** The name under which the server's keys are stored. A server for several customers has one for each. */
const INSTALLATION = 'own-backend';

/** @typedef {Pick<import('sealwire/resolver').RealtimeOptions, 'url' | 'app' | 'signingKey' | 'secrets'>} Settings */

/** @param {Settings} settings */
export const realtimeOf = (settings) =>
  createRealtime({
    ...settings,
    // A member may also be seen in the room, and see the others there.
    authorize: ({ accountId, extension }) => isMember(accountId, roomOf(extension)) && { presence: true },
    properties: ({ extension }) => ({ room: roomOf(extension) }),
  });

/**
 * Returns the context of a user in a room. The account comes from the user's session, never from the request's content.
 * @param {string} account
 * @param {string} room
 */
export const contextOf = (account, room) => ({
  installContext: INSTALLATION,
  accountId: account,
  moduleKey: 'room',
  extension: { room },
});

/** @param {Record<string, unknown> | undefined} extension */
const roomOf = (extension) => ROOMS.find((room) => room === extension?.room);

// Looks for the content of the messages in everything that passed the relay.
import { MEMBERS } from '../platform/members.mjs';
import { same } from './assertions.mjs';

/** Words of the payloads' JSON that stand nowhere else. */
const PAYLOAD_WORDS = [
  '"added"',
  '"removed"',
  '"absence"',
  '"accountId"',
  '"adding"',
  '"note"',
  '"vacation"',
  '"training"',
];

/**
 * Words that are not there by chance: three letters stand in every twentieth recording, since tokens and sealed messages
 * over HTTP are base64.
 * @param {string} text
 */
const longWords = (text) => text.split(' ').filter((word) => word.length > 4);

/**
 * @param {import('./check.mjs').Claim} claim
 * @param {import('../relay/recorder.mjs').Recorder} recorder
 * @param {{ note: string }[]} absences that were added meanwhile
 */
export async function claimSecrecy(claim, { recording, rows }, absences) {
  const published = rows.filter(({ kind }) => kind === 'Publish');
  await claim('The relay took publications from functions over HTTP and from browsers over WebSocket', () => {
    same([...new Set(published.map(({ transport }) => transport))].sort(), ['http', 'websocket']);
  });
  await claim('Every publication that passed it was sealed', () => {
    const carrying = rows.filter(({ kind }) => kind === 'Publish' || kind === 'Publication');
    for (const { sealed } of carrying) same(sealed?.version, '01');
  });
  await claim('The recorder finds what is open by design: channel name, dashboard and account id', () => {
    const open = ['absences', MEMBERS[0].dashboard.id, MEMBERS[0].accountId];
    same(
      open.filter((text) => recording.count(text) === 0),
      [],
    );
  });
  const texts = [...absences.map(({ note }) => note), ...MEMBERS.map(({ displayName }) => displayName)];
  const secrets = [...texts, ...texts.flatMap(longWords), ...PAYLOAD_WORDS];
  await claim(
    `None of ${secrets.length} texts of the payloads stands in its ${recording.bytes} bytes`,
    () => {
      same(
        secrets.filter((text) => recording.count(text) > 0),
        [],
      );
    },
  );
}

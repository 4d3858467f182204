// Searches for the content of the messages in all bytes to and from the relay.
import { MEMBERS } from '../platform/members.mjs';
import { same } from './assertions.mjs';

/** Words of the payloads' JSON that occur nowhere else. */
const PAYLOAD_WORDS = [
  '"added"',
  '"removed"',
  '"absence"',
  '"accountId"',
  '"adding"',
  '"note"',
  '"vacation"',
  '"training"',
  '"people"',
  '"exceptions"',
  '"history"',
  '"stoodIn"',
  '"tookOver"',
  '"swapped"',
];

/**
 * Returns the words that are too long to occur by chance. Tokens and sealed messages over HTTP are base64, in which a word
 * of three letters occurs in one of twenty recordings.
 * @param {string} text
 */
const longWords = (text) => text.split(' ').filter((word) => word.length > 4);

/**
 * @param {import('./check.mjs').Claim} claim
 * @param {import('../relay/recorder.mjs').Recorder} recorder
 * @param {{ note: string }[]} absences the absences that were added
 */
export async function claimSecrecy(claim, { recording, rows }, absences) {
  const published = rows.filter(({ kind }) => kind === 'Publish');
  await claim(
    'The relay received publishes from functions over HTTP and from browsers over WebSocket',
    () => {
      same([...new Set(published.map(({ transport }) => transport))].sort(), ['http', 'websocket']);
    },
  );
  await claim('Every publish and every publication was sealed', () => {
    const carrying = rows.filter(({ kind }) => kind === 'Publish' || kind === 'Publication');
    for (const { sealed } of carrying) same(sealed?.version, '01');
  });
  await claim(
    'The search finds content that is readable by design: channel name, dashboard and account id',
    () => {
      const open = ['absences', 'rotation', MEMBERS[0].dashboard.id, MEMBERS[0].accountId];
      same(
        open.filter((text) => recording.count(text) === 0),
        [],
      );
    },
  );
  const texts = [...absences.map(({ note }) => note), ...MEMBERS.map(({ displayName }) => displayName)];
  const secrets = [...texts, ...texts.flatMap(longWords), ...PAYLOAD_WORDS];
  await claim(
    `None of ${secrets.length} texts of the payloads occurs in the ${recording.bytes} recorded bytes`,
    () => {
      same(
        secrets.filter((text) => recording.count(text) > 0),
        [],
      );
    },
  );
}

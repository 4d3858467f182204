// Plays a scene of the demo in headless Chromium and saves screenshots: two people on one dashboard, and below them
// everything that the relay sees. `cargo xtask demo --capture FILE` makes an animation of them.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readArguments } from '../../examples/forge-host/src/arguments.mjs';
import { AbsencesGadget } from '../../examples/forge-host/src/check/absences-gadget.mjs';
import { startBrowser } from '../../examples/forge-host/src/check/browser.mjs';
import { RotationGadget } from '../../examples/forge-host/src/check/rotation-gadget.mjs';
import { startDemo } from '../../examples/forge-host/src/demo.mjs';
import { MEMBERS } from '../../examples/forge-host/src/platform/members.mjs';

const SIZE = { width: 940, height: 1130 };
const FRAME_MS = 100;
/** The last frame, before the animation begins again. */
const END_MS = 3_000;
/** Shows the dashboard of two and the first rows of the relay's view, none of which moves during the scene. */
const STAGE = `
  body { padding: 16px !important; overflow: hidden; }
  body > .top, .dashboard:has(#frame-cleo-rotation), .relay > header p, #search { display: none !important; }
  .dashboard { min-height: 918px; }
  .relay > header { padding: 10px 20px !important; }
  tbody tr { animation: none !important; }
`;

async function film(url) {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light', reducedMotion: 'reduce' });
    await page.goto(url);
    await page.addStyleTag({ content: STAGE });
    const [anna, ben] = MEMBERS.map(({ id }) => ({
      absences: new AbsencesGadget(page, id),
      rotation: new RotationGadget(page, id),
    }));
    for (const { absences, rotation } of [anna, ben]) await Promise.all([absences.ready(), rotation.ready()]);
    await anna.rotation.join();
    await ben.rotation.join();
    await anna.rotation.logs('Ben joined');
    await sleep(500);

    const camera = new Camera(page);
    camera.start();
    await play(anna, ben);
    await camera.stop();
    camera.save(values.frames);
  } finally {
    await browser.close();
  }
}

/** Anna, who is on duty, falls ill, and Ben stands in. She is back, and he takes over. */
async function play(anna, ben) {
  await sleep(800);
  await anna.absences.write({ kind: 'Sick leave', from: 0, to: 0, note: 'Back tomorrow' });
  await ben.absences.hints('Anna Lindqvist is adding');
  await sleep(900);
  await anna.absences.send();
  await ben.rotation.showsOnDuty('Ben Okafor', 'Stands in for Anna');
  await ben.absences.shows('Back tomorrow');
  await sleep(2_000);
  await anna.absences.removeOwn();
  await ben.rotation.showsOnDuty('Anna Lindqvist');
  await sleep(1_200);
  await ben.rotation.takeOver();
  await anna.rotation.showsOnDuty('Ben Okafor');
  await sleep(1_200);
}

/** Takes screenshots until it is stopped, and knows how long each of them was what the page showed. */
class Camera {
  #page;
  #frames = [];
  #running = Promise.resolve();
  #stopped = false;

  constructor(page) {
    this.#page = page;
  }

  start() {
    this.#running = this.#run();
  }

  async stop() {
    this.#stopped = true;
    await this.#running;
  }

  save(folder) {
    const list = this.#frames.map(({ picture, at }, number) => {
      const file = `${String(number).padStart(4, '0')}.png`;
      writeFileSync(path.join(folder, file), picture);
      const next = this.#frames[number + 1]?.at ?? at + END_MS;
      return { file, milliseconds: Math.round(next - at) };
    });
    writeFileSync(path.join(folder, 'frames.json'), JSON.stringify(list));
  }

  async #run() {
    while (!this.#stopped) {
      const at = performance.now();
      this.#frames.push({ picture: await this.#page.screenshot({ caret: 'initial' }), at });
      await sleep(Math.max(0, at + FRAME_MS - performance.now()));
    }
  }
}

const { values } = parseArgs({
  options: { 'relay-bin': { type: 'string' }, frames: { type: 'string' } },
});
mkdirSync(values.frames, { recursive: true });
const demo = await startDemo(readArguments(['--relay-bin', values['relay-bin']]));
try {
  await film(demo.url);
} finally {
  await demo.stop();
}

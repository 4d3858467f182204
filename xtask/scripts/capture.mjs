// Plays a scene of the demo in headless Chromium and saves screenshots: two people on one dashboard, and below them
// everything that the relay sees. `cargo xtask demo --capture FILE` makes an animation of them.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readArguments } from '../../examples/forge-host/src/arguments.mjs';
import { startBrowser } from '../../examples/forge-host/src/check/browser.mjs';
import { Gadget } from '../../examples/forge-host/src/check/gadget.mjs';
import { startDemo } from '../../examples/forge-host/src/demo.mjs';
import { MEMBERS } from '../../examples/forge-host/src/platform/members.mjs';

const SIZE = { width: 940, height: 850 };
const FRAME_MS = 100;
/** The last frame, before the animation begins again. */
const END_MS = 3_000;
/** Shows the dashboard of two and the first rows of the relay's view, none of which moves during the scene. */
const STAGE = `
  body { padding: 16px !important; overflow: hidden; }
  body > .top, .dashboard:has(#frame-cleo), .relay > header p, #search { display: none !important; }
  .dashboard { min-height: 620px; }
  .relay > header { padding: 10px 20px !important; }
  tbody tr { animation: none !important; }
`;

async function film(url) {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light', reducedMotion: 'reduce' });
    await page.goto(url);
    await page.addStyleTag({ content: STAGE });
    const [anna, ben] = MEMBERS.map(({ id }) => new Gadget(page, id));
    for (const gadget of [anna, ben]) await gadget.ready();
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

async function play(anna, ben) {
  await sleep(800);
  await anna.write({ kind: 'Vacation', from: 1, to: 9, note: 'Sailing round Öland' });
  await ben.hints('Anna Lindqvist is adding');
  await sleep(900);
  await anna.send();
  await ben.shows('Sailing round Öland');
  await sleep(1_600);
  await ben.write({ kind: 'Training', from: 2, to: 4, note: 'Rust course' });
  await anna.hints('Ben Okafor is adding');
  await sleep(900);
  await ben.send();
  await anna.shows('Rust course');
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

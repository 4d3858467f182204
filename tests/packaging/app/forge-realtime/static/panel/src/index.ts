// The page's entry.
import { Panel } from './Panel';

Object.assign(globalThis, { Panel });

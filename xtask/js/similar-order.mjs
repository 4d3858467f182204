// Finds an order of functions in which similar ones are near each other: gzip and zlib find a repetition only within the 32 kB
// before it. order-functions.mjs uses it.

/** The number of characters, or bytes, of the pieces whose equality counts. */
const PIECE = 6;
/** The distance within which a repetition is found, less than zlib's 32,768 because the next function is itself long. */
const WINDOW = 28_000;

function piecesOf(text) {
  const pieces = new Set();
  for (let at = 0; at + PIECE <= text.length; at += 1) pieces.add(text.slice(at, at + PIECE));
  return pieces;
}

/** Returns the indexes of the functions that contain each piece, for the pieces of more than one function. */
function owners(functions) {
  const found = new Map();
  functions.forEach((text, index) => {
    for (const piece of piecesOf(text)) {
      if (!found.has(piece)) found.set(piece, []);
      found.get(piece).push(index);
    }
  });
  for (const [piece, indexes] of found) if (indexes.length === 1) found.delete(piece);
  return found;
}

/**
 * Returns the indexes of the functions, given as texts, in their new order. The first is the longest one; each next one shares most
 * with those in the window before it, for its length. A piece of few functions counts more than one of many.
 */
export function similarOrder(functions) {
  const shared = owners(functions);
  const pieces = functions.map((text) => [...piecesOf(text)].filter((piece) => shared.has(piece)));
  const scores = new Float64Array(functions.length);
  const count = (index, sign) => {
    for (const piece of pieces[index]) {
      const indexes = shared.get(piece);
      for (const other of indexes) scores[other] += sign / indexes.length;
    }
  };
  const lengths = functions.map(({ length }) => length);
  const waiting = new Set(functions.keys());
  const ordered = [];
  let next = lengths.indexOf(Math.max(...lengths));
  let [first, distance] = [0, 0];
  while (waiting.delete(next)) {
    ordered.push(next);
    count(next, 1);
    distance += lengths[next];
    for (; distance > WINDOW && ordered[first] !== next; first += 1) {
      count(ordered[first], -1);
      distance -= lengths[ordered[first]];
    }
    let best = -1;
    for (const index of waiting) {
      const score = scores[index] / (lengths[index] + 60) ** 0.8;
      if (score > best) [next, best] = [index, score];
    }
  }
  return ordered;
}

// Forge's published examples once more, with SEALWIRE_BLIND_NAMES: it applies to createRealtime() and to the functions that the
// package exports, which agree with each other and with the pages.
process.env.SEALWIRE_BLIND_NAMES = 'true';

await import('./published-examples.test.mjs');

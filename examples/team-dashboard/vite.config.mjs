import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('static/absences', import.meta.url)),
  // Forge serves a Custom UI from a folder of its CDN, so every address is relative.
  base: './',
  plugins: [react()],
  // The script must be a file of its own: Forge's content security policy has no 'unsafe-inline'.
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    // Sealwire's core is one file, and only the build that the page's policy allows is loaded.
    chunkSizeWarningLimit: 600,
    // sealwire imports @forge/bridge when it is needed; the gadget uses it from the start.
    rolldownOptions: { checks: { ineffectiveDynamicImport: false } },
  },
});

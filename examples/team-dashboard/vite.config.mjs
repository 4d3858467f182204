import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('static/absences', import.meta.url)),
  // Forge serves a Custom UI from a folder of its CDN, so all addresses are relative.
  base: './',
  plugins: [react()],
  // The script must be a separate file, because Forge's content security policy has no 'unsafe-inline'.
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    // Each build of Sealwire's core is one large file. A page loads only the build that its policy allows.
    chunkSizeWarningLimit: 600,
    // sealwire imports @forge/bridge dynamically, and the gadget imports it statically.
    rolldownOptions: { checks: { ineffectiveDynamicImport: false } },
  },
});

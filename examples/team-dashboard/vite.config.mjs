// Builds a gadget: `vite build static/absences`. Forge serves each gadget from a folder of its own.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
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
    // sealwire imports @forge/bridge dynamically, and the gadgets import it statically.
    rolldownOptions: { checks: { ineffectiveDynamicImport: false } },
  },
});

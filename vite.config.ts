/** How the application is built and, with `npx vite`, served while one works on it. */
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

/** Shared memory for the wasm kernels needs cross-origin isolation; tools/server.ts sends the same. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * PeerJS constructs a connection with its default servers as soon as it is loaded, to see what the browser can do
 * (peerjs 1.5.5, util.ts). None of them is ever named in what we ship.
 */
function withoutPublicServers(): Plugin {
  const servers = /"0\.peerjs\.com"|"stun:stun\.l\.google\.com:19302"|"turn:[a-z]{2}-0\.turn\.peerjs\.com:3478"/g;
  const lists = /iceServers: \[\s*\{\s*urls: "stun:[\s\S]*?credential: "peerjsp"\s*\}\s*\]/;
  return {
    name: 'without-public-servers',
    apply: 'build',
    transform(code, id) {
      if (!/[\\/]node_modules[\\/]peerjs[\\/]/.test(id)) return undefined;
      const cleaned = code.replace(lists, 'iceServers: []').replaceAll(servers, '""');
      if (cleaned === code || /peerjs\.com:3478|google\.com/.test(cleaned)) {
        this.error('PeerJS no longer names its public servers in the way that is taken out here.');
      }
      return { code: cleaned, map: null };
    },
  };
}

export default defineConfig({
  plugins: [withoutPublicServers()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // The content security policy allows no inline script and no data: URL but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The training worker is tfjs with a backend, about 1 MB: loaded after consent, and never by the page itself.
    chunkSizeWarningLimit: 3000,
    // How long a plugin took is said on standard error, on a busy machine only.
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  server: { headers: ISOLATION },
  preview: { headers: ISOLATION },
});

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  server: { port: 5173, proxy: { "/api": "http://127.0.0.1:8000" } },
  // The server puts a fresh nonce here with every page (src/finer/app/web.py); the policy allows nothing without it.
  html: { cspNonce: "FINER-PAGE-NONCE" },
  build: {
    outDir: "dist",
    // Assets stay files: the policy of the server allows no data: scripts or fonts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    sourcemap: false,
    manifest: true,
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    testTimeout: 60_000,
    // The machines that run this are small, and antd is slow to load in jsdom.
    maxWorkers: 2,
    // Loading antd and making a window take as long as the tests themselves: each worker does both once. What a test
    // leaves behind is cleared away in tests/setup.ts.
    isolate: false,
    // Tests leave much garbage behind soon. Where more of it fits, it is looked through less often, which saves a tenth
    // of the CPU.
    execArgv: ["--max-semi-space-size=64"],
  },
});

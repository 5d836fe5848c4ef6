import { defineConfig } from "vite";

/** One page, one script, one style sheet: the strict content security policy allows nothing inline. */
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/tunewright/serve/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: { entryFileNames: "app.js", assetFileNames: "[name][extname]", chunkFileNames: "[name].js" },
    },
  },
});

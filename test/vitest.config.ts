import { defineConfig } from "vitest/config"

/**
 * Two projects: `unit` (no network; the shells of the machine, to see what they make of texts) and `e2e` (a real sshd and the
 * built binary).
 * Unit test files share one module registry (`isolate: false`), since importing `effect` dominates their time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          root: new URL("..", import.meta.url).pathname,
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          isolate: false
        }
      },
      {
        test: {
          name: "e2e",
          root: new URL("..", import.meta.url).pathname,
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false
        }
      }
    ]
  }
})

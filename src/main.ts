import { enableCompileCache } from "node:module"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"

/**
 * The binary. It sets up the engine and loads the program.
 *
 * The compile cache: a client waits for the start at every session, and the second start takes two thirds of the time.
 * The cache lies next to the program, so that who can write to it could change the program as well; where that is not
 * writable there is none.
 */
enableCompileCache(join(import.meta.dirname, "compile-cache"))

const { runProgram } = await import("./cli/Program.ts")

// The young generation stays as loading the program left it (4 MiB): output passes through as short-lived buffers, for
// which V8 would let it grow to 16 MiB three times over.
setFlagsFromString("--semi-space-growth-factor=1")

runProgram(process.argv.slice(2))

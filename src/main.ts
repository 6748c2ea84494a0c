import { enableCompileCache } from "node:module"
import { setFlagsFromString } from "node:v8"
import { join } from "node:path"

/**
 * The binary. It only switches on Node's compile cache before it loads the program, since a client waits for the start
 * at every session; the second start takes two thirds of the time. The cache lies next to the program, so that who can
 * write to it could change the program as well; where that is not writable there is none.
 */
enableCompileCache(join(import.meta.dirname, "compile-cache"))

setFlagsFromString("--semi-space-growth-factor=1")
const { runProgram } = await import("./cli/Program.ts")
runProgram(process.argv.slice(2))

import { type SimulationOptions, simulate } from "../../src/simulation/Simulation.ts"

/** Prints the hash of a simulation whose options are the first argument, as JSON. */
const options = JSON.parse(process.argv[2] ?? "") as SimulationOptions
process.stdout.write(simulate(options).logSha256)

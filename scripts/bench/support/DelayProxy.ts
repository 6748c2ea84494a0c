import { Effect } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { connect, createServer, type Socket } from "node:net"
import { createInterface } from "node:readline"

/**
 * Does things in order, each not before its time. Timers of Node fire up to a millisecond late, so that everything due
 * within 0.3 ms is done with what comes before it.
 */
const makeQueue = () => {
  const queue: Array<{ readonly due: number; readonly act: () => void }> = []
  let timer: NodeJS.Timeout | undefined
  const arm = (): void => {
    const [first] = queue
    if (timer === undefined && first !== undefined) timer = setTimeout(pump, Math.max(0, first.due - performance.now()))
  }
  const pump = (): void => {
    timer = undefined
    while (queue[0] !== undefined && queue[0].due <= performance.now() + 0.3) queue.shift()?.act()
    arm()
  }
  return (due: number, act: () => void): void => {
    queue.push({ due: Math.max(due, queue.at(-1)?.due ?? 0), act })
    arm()
  }
}

const relay = (from: Socket, to: () => Socket | undefined, later: (act: () => void) => void): void => {
  from.on("data", (bytes) => later(() => to()?.write(bytes)))
  from.on("end", () => later(() => to()?.end()))
  from.on("close", () => later(() => to()?.destroy()))
  from.on("error", () => {})
}

/** Bytes take half the round trip each way; the TCP handshake, which loopback answers by itself, one round trip more. */
const serve = (port: number, rtt: number): void => {
  const server = createServer({ noDelay: true }, (near) => {
    let far: Socket | undefined
    const up = makeQueue()
    const down = makeQueue()
    relay(
      near,
      () => far,
      (act) => up(performance.now() + rtt / 2, act)
    )
    up(performance.now() + rtt * 1.5, () => {
      far = connect({ host: "127.0.0.1", port, noDelay: true })
      relay(
        far,
        () => near,
        (act) => down(performance.now() + rtt / 2, act)
      )
    })
  })
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    process.stdout.write(`${typeof address === "object" ? address?.port : 0}\n`)
  })
}

/**
 * A process that stands before a port of 127.0.0.1 as a network of the given round trip time would, for the Scope: in
 * a process of its own, so that work of the bench delays none of its timers. Yields its port.
 */
export const delayed = (port: number, rtt: number): Effect.Effect<number, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly port: number; readonly stop: () => void }>((resume) => {
        const child = spawn(process.execPath, [import.meta.filename, String(port), String(rtt)], {
          stdio: ["ignore", "pipe", "inherit"]
        })
        child.on("error", (error) => resume(Effect.die(error)))
        createInterface({ input: child.stdout }).once("line", (line) =>
          resume(Effect.succeed({ port: Number(line), stop: () => void child.kill("SIGKILL") }))
        )
      }),
      ({ stop }) => Effect.sync(stop)
    ),
    (proxy) => proxy.port
  )

if (import.meta.main) serve(Number(process.argv[2]), Number(process.argv[3]))

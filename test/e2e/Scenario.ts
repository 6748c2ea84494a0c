import { Duration, Effect, Schedule, type Scope } from "effect"
import { type ConfigFixture, type ConfigFixtureOptions, makeConfigFixture } from "../support/ConfigFixture.ts"
import { connectMcpClient, type McpClient } from "../support/McpClient.ts"
import * as Sshd from "../support/Sshd.ts"

/**
 * The programs that the tests run on the host, by name. Each one stands in the fixture's work directory, where it
 * leaves the file `started` once it runs, so that a test can wait for it and can find whatever it left behind.
 */
const PROGRAMS = {
  /** Both streams and an exit code. */
  exit3: "echo out; echo err >&2; exit 3",
  /** Ends by a signal. */
  killself: "echo dying; kill -KILL $$",
  /** Runs until it is stopped. */
  sleeper: "echo yes > started; exec sleep 1000",
  /** Children and grandchildren in the background and one in the foreground. */
  family: "sleep 1000 & (sleep 1000 & sleep 1000) & echo yes > started; sleep 1000; wait",
  /** Ignores every polite signal, as do its children. */
  stubborn: "trap '' TERM HUP INT PIPE; (while :; do sleep 1; done) & echo yes > started; while :; do sleep 1; done",
  /** 52,428,811 bytes: a first line, 3,276,800 lines of 16 bytes, a last line. */
  flood: "echo FIRST; yes abcdefghijklmno | head -n 3276800; echo LAST",
  /** Writes for ever, as fast as it is read. */
  endless: "echo yes > started; yes abcdefghijklmno",
  /** Bytes that are not UTF-8: two stray bytes and a cut sequence. */
  notutf8: "printf 'a\\377\\376b\\303\\n'",
  /** Colours, a window title, a clipboard write, a bidi override, a carriage return. */
  escapes:
    "printf 'x\\033[2J\\033[31mAPPROVED\\033[0m\\033]0;pwned\\007\\033]52;c;cm0gLXJmIC8=\\007\\342\\200\\256y\\tz\\r\\n'",
  /** `$1` numbered lines. */
  count: 'i=1; while [ "$i" -le "$1" ]; do echo "line $i"; i=$((i + 1)); done',
  /** A line at once, then one each 0.2 s, `$1` in all. */
  ticker: 'echo yes > started; i=1; while [ "$i" -le "$1" ]; do echo "tick $i"; i=$((i + 1)); sleep 0.2; done',
  /** Leaves a file; only ever run by mistake. */
  forbidden: "echo yes > reached",
  /** Prints its arguments between angle brackets, one a line. */
  args: 'for a; do printf "<%s>\\n" "$a"; done'
} as const

/** The name of a program above. */
export type Program = keyof typeof PROGRAMS

/** A server under test with one real host behind it. */
export interface Scenario {
  readonly sshd: Sshd.Sshd
  readonly config: ConfigFixture
  readonly client: McpClient
  /** The command that runs a program above. */
  readonly command: (program: Program, ...args: ReadonlyArray<string>) => string
  /** Waits until the program on the host left its file `started`. */
  readonly started: Effect.Effect<void>
}

/** What differs from the usual scenario: one host `web1`, the programs above allowed but for `forbidden`. */
export interface ScenarioOptions {
  readonly limits?: Record<string, unknown>
  readonly network?: Record<string, unknown>
  readonly overrides?: Record<string, unknown>
  /** Further rules. */
  readonly rules?: ReadonlyArray<Record<string, unknown>>
  /** Further hosts; `web1` is always there. They get sshd's port and the credentials unless they say otherwise. */
  readonly hosts?: ReadonlyArray<Record<string, unknown> & { readonly alias: string }>
  readonly sshd?: Sshd.SshdOptions
  readonly config?: Pick<ConfigFixtureOptions, "credentials" | "knownHosts" | "keys" | "secrets">
  readonly environment?: Record<string, string>
}

/** Waits until a condition holds, asking every 20 ms for at most ten seconds. */
export const eventually = (what: string, condition: () => boolean): Effect.Effect<void> =>
  Effect.sync(condition).pipe(
    Effect.filterOrFail(
      (holds) => holds,
      () => "not yet" as const
    ),
    Effect.retry(Schedule.spaced(Duration.millis(20))),
    Effect.timeoutOrElse({
      duration: Duration.seconds(10),
      orElse: () => Effect.die(new Error(`waited 10 s in vain: ${what}`))
    }),
    Effect.orDie,
    Effect.asVoid
  )

/** An sshd and a configuration that reaches it; the server is not started yet. */
export const makeHost = (
  options: ScenarioOptions = {}
): Effect.Effect<Omit<Scenario, "client">, Sshd.SshdError, Scope.Scope> =>
  Effect.gen(function* () {
    // The start-up files of whoever runs the tests are none of their business (bash(1) reads them under sshd).
    const sshd = yield* Sshd.start({
      ...options.sshd,
      config: ["SetEnv HOME=/nonexistent", ...(options.sshd?.config ?? [])]
    })
    const host = { host: sshd.address, port: sshd.port, credentials: "key", tags: ["web", "all"] }
    const config = yield* makeConfigFixture({
      hosts: [
        { alias: "web1", ...host, description: "The one host" },
        ...(options.hosts ?? []).map((h) => ({ ...host, ...h }))
      ],
      credentials: [{ name: "key", username: sshd.user, key_path: "id_ed25519" }],
      knownHosts: `${yield* sshd.knownHosts}\n`,
      ...options.config,
      keys: { id_ed25519: sshd.key.pem, ...options.config?.keys }
    })
    for (const [name, body] of Object.entries(PROGRAMS)) config.program(name, body)
    const allowed = Object.keys(PROGRAMS).filter((name) => name !== "forbidden")
    yield* config.writePolicy({
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.network === undefined ? {} : { network: options.network }),
      ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
      rules: [
        {
          id: "programs",
          action: "allow",
          commands: [
            "true",
            "uname *",
            "echo *",
            ...allowed.flatMap((name) => [`${config.binDir}/${name}`, `${config.binDir}/${name} *`])
          ]
        },
        ...(options.rules ?? [])
      ]
    })
    return {
      sshd,
      config,
      command: (program, ...args) => [`${config.binDir}/${program}`, ...args].join(" "),
      started: eventually("the program on the host starts", () => config.left("started") !== "")
    }
  })

/** `makeHost`, and a client connected to a server that uses it. */
export const makeScenario = (options: ScenarioOptions = {}): Effect.Effect<Scenario, Sshd.SshdError, Scope.Scope> =>
  Effect.gen(function* () {
    const host = yield* makeHost(options)
    const client = yield* connectMcpClient({ environment: { ...host.config.environment, ...options.environment } })
    return { ...host, client }
  })

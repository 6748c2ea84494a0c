import { Effect, Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { DnsLookup } from "../ssh/address/DnsLookup.ts"
import { parseFingerprint } from "../ssh/trust/Fingerprint.ts"
import { HostResolver } from "../ssh/address/HostResolver.ts"
import { Ssh2HostKeyScan } from "../ssh/ssh2/Ssh2HostKeyScan.ts"
import { Ssh2Transport } from "../ssh/ssh2/Ssh2Transport.ts"
import { wrongUsage } from "./CliFailure.ts"
import { printable } from "./Table.ts"
import { trustHost } from "./TrustHost.ts"

/** `trust`: the one way in which this program writes known_hosts. For a person; no tool of the server does it. */
export const trust = Command.make(
  "trust",
  {
    host: Argument.String("HOST").pipe(Argument.withDescription("Alias of the host")),
    fingerprint: Flag.String("fingerprint").pipe(
      Flag.withMetavar("SHA256:..."),
      Flag.withDescription("Add exactly the keys with this fingerprint, without asking; repeatable"),
      Flag.between(0, 16)
    )
  },
  Effect.fn("cli.trust")(function* ({ fingerprint, host }) {
    const bad = fingerprint.find((text) => Option.isNone(parseFingerprint(text)))
    if (bad !== undefined) {
      return yield* wrongUsage(
        `--fingerprint: ${printable(bad)} is not a fingerprint as ssh-keygen -l prints it (SHA256: and 43 characters)`
      )
    }
    const fingerprints = fingerprint.flatMap((text) => Option.toArray(parseFingerprint(text)))
    yield* trustHost({ alias: host, fingerprints })
  })
).pipe(
  Command.withDescription(
    "Fetch a host's keys without logging in, show their fingerprints, and add them to known_hosts when you agree"
  ),
  Command.withExamples([
    { command: "mcp-ssh-orchestrator trust web-1", description: "Shows every key and asks" },
    {
      command: "mcp-ssh-orchestrator trust web-1 --fingerprint SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA",
      description: "For scripts: adds the key with this fingerprint, which came another way; fails if no key has it"
    }
  ]),
  Command.provide(
    Layer.mergeAll(HostResolver.layer.pipe(Layer.provide(DnsLookup.layer)), Ssh2HostKeyScan.layer, Ssh2Transport.layer)
  )
)

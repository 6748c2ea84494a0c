import { Context, Effect, Layer, Schema } from "effect"
import { lookup } from "node:dns"

/** The system resolver found no address; `detail` is its code (`ENOTFOUND`, `EAI_AGAIN` …). */
export class DnsLookupFailed extends Schema.TaggedError<DnsLookupFailed>()("DnsLookupFailed", {
  name: Schema.String,
  detail: Schema.String
}) {}

/** The system's name resolution, as getaddrinfo(3) does it (hosts file, DNS, mDNS). */
export class DnsLookup extends Context.Service<
  DnsLookup,
  {
    /**
     * All addresses of a name, as texts, in the resolver's order. Interrupting it stops the waiting, not the system
     * call: at most four of those run at a time (libuv's pool), later ones queue behind them.
     */
    readonly lookup: (name: string) => Effect.Effect<ReadonlyArray<string>, DnsLookupFailed>
  }
>()("mcp-ssh-orchestrator/ssh/DnsLookup") {
  /** node:dns, with the resolver's own order kept. */
  static readonly layer: Layer.Layer<DnsLookup> = Layer.succeed(
    DnsLookup,
    DnsLookup.of({
      lookup: (name) =>
        Effect.callback((resume) => {
          lookup(name, { all: true, order: "verbatim" }, (error, addresses) => {
            resume(
              error === null
                ? Effect.succeed(addresses.map(({ address }) => address))
                : Effect.fail(new DnsLookupFailed({ name, detail: error.code ?? "unknown" }))
            )
          })
        })
    })
  )
}

import { NodeStream } from "@effect/platform-node"
import { Data, Duration, Effect, Option, Schema, type Scope, Stream, SubscriptionRef } from "effect"
import type { Readable } from "node:stream"

/** One JSON object that the binary wrote to stderr. */
export type LogRecord = { readonly [key: string]: unknown }

/** A record that a test waited for did not come in time. */
export class NoSuchRecord extends Data.TaggedError("NoSuchRecord")<{
  readonly wanted: string
  readonly seen: ReadonlyArray<string>
}> {
  override get message(): string {
    return `no log record ${this.wanted}; stderr so far:\n${this.seen.join("\n")}`
  }
}

/** What the binary writes to stderr, line by line. */
export interface LogRecords {
  /** Every line so far, as text. */
  readonly lines: Effect.Effect<ReadonlyArray<string>>
  /** Every line so far that is a JSON object. */
  readonly records: Effect.Effect<ReadonlyArray<LogRecord>>
  /** Lines that are not a JSON object: the contract allows none while serving. */
  readonly strangers: Effect.Effect<ReadonlyArray<string>>
  /** Records of a type with the given fields. */
  readonly matching: (wanted: LogRecord) => Effect.Effect<ReadonlyArray<LogRecord>>
  /** The first record with these fields, waited for at most ten seconds. */
  readonly waitFor: (wanted: LogRecord) => Effect.Effect<LogRecord, NoSuchRecord>
}

const decodeLine = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

const matches =
  (wanted: LogRecord) =>
  (record: LogRecord): boolean =>
    Object.entries(wanted).every(([key, value]) => record[key] === value)

const parsed = (lines: ReadonlyArray<string>): ReadonlyArray<LogRecord> =>
  lines.flatMap((line) => Option.toArray(decodeLine(line)))

/** Reads `stderr` until it ends, in the background. */
export const collectLogRecords = (stderr: Readable): Effect.Effect<LogRecords, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen = yield* SubscriptionRef.make<ReadonlyArray<string>>([])
    yield* NodeStream.fromReadable<Uint8Array>({ evaluate: () => stderr }).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => SubscriptionRef.update(seen, (lines) => [...lines, line])),
      Effect.ignore,
      Effect.forkScoped({ startImmediately: true })
    )
    const lines = SubscriptionRef.get(seen)
    return {
      lines,
      records: Effect.map(lines, parsed),
      strangers: Effect.map(lines, (all) => all.filter((line) => Option.isNone(decodeLine(line)))),
      matching: (wanted) => Effect.map(lines, (all) => parsed(all).filter(matches(wanted))),
      waitFor: (wanted) =>
        SubscriptionRef.changes(seen).pipe(
          Stream.map((all) => parsed(all).find(matches(wanted))),
          Stream.filter((record) => record !== undefined),
          Stream.runHead,
          Effect.timeoutOption(Duration.seconds(10)),
          Effect.map(Option.flatten),
          Effect.flatMap(
            Option.match({
              onNone: () =>
                Effect.flatMap(lines, (all) => new NoSuchRecord({ wanted: JSON.stringify(wanted), seen: all })),
              onSome: Effect.succeed
            })
          )
        )
    }
  })

import type { Mutant } from "./Mutant.ts"

/**
 * Bugs that the simulation must find, each of a kind that was made in this or in comparable programs: a harness that
 * does not find them would not find their like in the product.
 */
export const MUTANTS: ReadonlyArray<Mutant> = [
  {
    name: "a terminal state is lost when the interruption comes early",
    edits: [
      {
        file: "task/TaskFibers.ts",
        from: "Effect.forkDetach({ uninterruptible: true, startImmediately: true })",
        to: "Effect.forkDetach()"
      }
    ]
  },
  {
    name: "a failed connect keeps its slot",
    edits: [
      {
        file: "task/TaskFibers.ts",
        from: "Effect.flatMap((exit) => settle(record, exit)),\n          Effect.ensuring(release),",
        to: "Effect.flatMap((exit) => Effect.ensuring(settle(record, exit), Exit.isFailure(exit) && Cause.hasFails(exit.cause) ? Effect.void : release)),"
      }
    ]
  },
  {
    name: "a slot that is returned wakes nobody",
    edits: [
      {
        file: "task/Slots.ts",
        from: "Ref.modify(admission, (current) => Admission.leave(current, waiter)),\n        grant",
        to: "Ref.modify(admission, (current) => Admission.leave(current, waiter)),\n        () => Effect.void"
      }
    ]
  },
  {
    name: "one command too many runs on a host",
    edits: [
      {
        file: "task/Admission.ts",
        from: "lane.running >= head.hostLimit",
        to: "lane.running > head.hostLimit"
      }
    ]
  },
  {
    name: "a task that was cancelled or failed is audited twice",
    edits: [
      {
        file: "task/TaskFibers.ts",
        from: "if (Exit.isFailure(exit)) yield* logFailure(record, exit.cause)",
        to:
          'if (Exit.isFailure(exit) && record.work._tag === "Command") {\n' +
          "        yield* audit.task(yield* auditOf(record, record.work.spec, yield* Ref.get(record.state)))\n" +
          "      }"
      }
    ]
  },
  {
    name: "the audit counts cleaned instead of sent bytes",
    edits: [
      {
        file: "task/TaskOutput.ts",
        from: "bytes[stream] += raw.length\n      const before = states[stream]\n      const [state, text] = clean(before.clean, raw)",
        to: "const before = states[stream]\n      const [state, text] = clean(before.clean, raw)\n      bytes[stream] += Buffer.byteLength(text)"
      }
    ]
  },
  {
    name: "a result goes before its time",
    edits: [
      {
        file: "task/TaskRegistry.ts",
        from: "limitsOf(entry.record).task_result_ttl * 1000",
        to: "limitsOf(entry.record).task_result_ttl * 900"
      }
    ]
  },
  {
    name: "a result that is over its time stays",
    edits: [
      {
        file: "task/TaskRegistry.ts",
        from: "if (one.end.expiresAt <= now) forget(one)",
        to: "if (one.end.expiresAt + 5_000 <= now) forget(one)"
      }
    ]
  },
  {
    name: "a page of output leaves out the line after it",
    edits: [
      {
        file: "task/TaskOutput.ts",
        from: "next_cursor: encodeLineCursor(next),",
        to: "next_cursor: encodeLineCursor(Math.min(next + 1, view.total)),"
      }
    ]
  },
  {
    name: "the time of an ended task goes on",
    edits: [
      {
        file: "task/TaskState.ts",
        from: "(isTerminal(state) ? state.endedAt : now) - startedAt",
        to: "(isTerminal(state) && now === 0 ? state.endedAt : now) - startedAt"
      }
    ]
  },
  {
    name: "a cancel does not stop the process and says that it did",
    edits: [
      {
        file: "ssh/process/RemoteProcess.ts",
        from: "yield* options.stopped(yield* stop(yield* options.grace))",
        to: "yield* options.stopped(CONFIRMED)"
      }
    ]
  },
  {
    name: "a process that outlives KILL counts as stopped",
    edits: [
      {
        file: "ssh/process/RemoteProcess.ts",
        from: "if (!answer.dead) return { ...UNCONFIRMED, survivors: answer.survivors }",
        to: "if (!answer.dead) return CONFIRMED"
      }
    ]
  },
  {
    name: "a denied command reaches the transport",
    edits: [
      {
        file: "fleet/Dispatcher.ts",
        from: 'if (decision._tag === "Denied") return yield* refuse(request.alias, decision)',
        to: 'if (decision._tag === "Denied" && decision.normalized === undefined) return yield* refuse(request.alias, decision)'
      },
      {
        file: "fleet/Dispatcher.ts",
        from: "const { canonical, hash, requested } = decision.command\n        const about = { alias: request.alias, hash, command: requested }",
        to:
          "const { canonical, hash, requested } = decision.command ?? { ...decision, canonical: decision.normalized }\n" +
          "        const about = { alias: request.alias, hash, command: requested }"
      }
    ]
  },
  {
    name: "the caller's text is run instead of the normal form",
    edits: [
      {
        file: "fleet/Dispatcher.ts",
        from: "targets, command: canonical, budget",
        to: "targets, command: spec.command, budget"
      }
    ]
  },
  {
    name: "an address that the network policy blocks is connected to",
    edits: [
      {
        file: "ssh/address/HostResolver.ts",
        from: "!isUnspecified(normalise(address)) && checkAddress(network, address)",
        to: "!isUnspecified(normalise(address))"
      }
    ]
  },
  {
    name: "a connection that is gone is handed out",
    edits: [
      {
        file: "ssh/pool/Connections.ts",
        from: "retire: change(key, attempt, out)",
        to: "retire: Effect.void"
      }
    ]
  },
  {
    name: "a command whose connection was lost is sent again",
    edits: [
      {
        file: "ssh/pool/ConnectionPool.ts",
        from: 'while: (error) => error.failure === "ChannelRefused" })',
        to: 'while: (error) => error.failure === "ChannelRefused" || error.failure === "ConnectionLost" })'
      }
    ]
  },
  {
    name: "a bad configuration takes effect",
    edits: [
      {
        file: "config/ConfigDirectory.ts",
        from: "if (!after.usable) return yield* new ReloadFailed({ problems: after.problems.map(formatProblem) })\n          const before = yield* SubscriptionRef.getAndSet(current, after)",
        to: "const before = yield* SubscriptionRef.getAndSet(current, after)\n          if (!after.usable) return yield* new ReloadFailed({ problems: after.problems.map(formatProblem) })"
      }
    ]
  },
  {
    name: "a shutdown waits for every stop, however long it takes",
    edits: [
      {
        file: "task/TaskFibers.ts",
        from: "const SHUTDOWN_WAIT = Duration.seconds(4)",
        to: "const SHUTDOWN_WAIT = Duration.seconds(40)"
      }
    ]
  }
]

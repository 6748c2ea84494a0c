import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { ErrorCode, type JSONRPCMessage, type RequestId } from "@modelcontextprotocol/sdk/types.js"
import type { Readable, Writable } from "node:stream"
import { type LineSplitter, makeLineSplitter } from "./LineSplitter.ts"
import { receiveMessage } from "./ReceivedMessage.ts"

/** Where the protocol is read from and written to. Nothing else may write to `output`. */
export interface StdioStreams {
  readonly input: Readable
  readonly output: Writable
}

/** Bytes of one message, at most; a longer line ends the connection. */
const MAX_LINE_BYTES = 10 * 1024 * 1024

/** Milliseconds that calls in flight get to answer after the end of input, so that `printf ... | server` works. */
const END_GRACE_MS = 100

/**
 * Newline-delimited JSON over a pair of streams. Unlike the SDK's own, it answers what is not a message, treats the
 * end of input as the end of the connection, survives a reader that went away, and stops reading while the reader of
 * its answers is slow.
 */
export class StdioTransport implements Transport {
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: Transport["onmessage"]

  readonly #input: Readable
  readonly #output: Writable
  readonly #lines: LineSplitter = makeLineSplitter(MAX_LINE_BYTES)
  /** Requests that were handed on and not answered. */
  readonly #pending = new Set<RequestId>()
  #state: "open" | "ended" | "closed" = "open"
  #timer: NodeJS.Timeout | undefined

  constructor({ input, output }: StdioStreams) {
    this.#input = input
    this.#output = output
  }

  /** Begins to read. */
  start(): Promise<void> {
    this.#output.on("error", this.#onOutputError)
    this.#output.on("drain", this.#onDrain)
    this.#input.on("error", this.#onInputError)
    this.#input.on("end", this.#onEnd)
    this.#input.on("close", this.#onEnd)
    this.#input.on("data", this.#onData)
    return Promise.resolve()
  }

  /** Writes one message; done when the stream took it, rejected once the connection is closed. */
  send(message: JSONRPCMessage): Promise<void> {
    if ("id" in message && !("method" in message) && message.id !== undefined) this.#pending.delete(message.id)
    return this.#write(message).finally(() => this.#closeWhenAnswered())
  }

  /** Stops reading and lets go of the streams. Safe to call twice. */
  close(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve()
    this.#state = "closed"
    clearTimeout(this.#timer)
    this.#input.off("data", this.#onData)
    this.#input.off("end", this.#onEnd)
    this.#input.off("close", this.#onEnd)
    this.#output.off("drain", this.#onDrain)
    // The error listeners stay: a late EPIPE without one would end the process.
    this.#input.destroy()
    this.#pending.clear()
    this.onclose?.()
    return Promise.resolve()
  }

  readonly #onData = (chunk: Buffer | string): void => {
    const { lines, overflow } = this.#lines.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk)
    for (const line of lines) this.#receive(line)
    if (!overflow || this.#state === "closed") return
    this.#input.off("data", this.#onData)
    this.#input.pause()
    void this.#refuse(null, ErrorCode.InvalidRequest, "Invalid request: line too long").finally(() => void this.close())
  }

  readonly #onEnd = (): void => {
    if (this.#state !== "open") return
    this.#receive(this.#lines.rest())
    this.#state = "ended"
    this.#timer = setTimeout(() => void this.close(), END_GRACE_MS)
    this.#closeWhenAnswered()
  }

  readonly #onInputError = (error: Error): void => {
    this.onerror?.(error)
    void this.close()
  }

  /** EPIPE and its like: nobody reads the answers any more. */
  readonly #onOutputError = (error: Error): void => {
    if (this.#state !== "closed") this.onerror?.(error)
    void this.close()
  }

  readonly #onDrain = (): void => {
    if (this.#state === "open") this.#input.resume()
  }

  #receive(line: Uint8Array): void {
    if (this.#state === "closed" || line.every((byte) => byte <= 0x20)) return
    const received = receiveMessage(line)
    switch (received._tag) {
      case "Message":
        return this.#deliver(received.message)
      case "Refused":
        void this.#refuse(received.id, received.code, received.text)
        return
      case "Ignored":
        this.onerror?.(new Error(`Ignored ${received.reason}`))
    }
  }

  #deliver(message: JSONRPCMessage): void {
    if ("method" in message && "id" in message) {
      if (this.#pending.has(message.id)) {
        void this.#refuse(message.id, ErrorCode.InvalidRequest, "Invalid request: this id is in use")
        return
      }
      this.#pending.add(message.id)
    } else if ("method" in message && message.method === "notifications/cancelled") {
      // A cancelled request is never answered.
      const id = message.params?.["requestId"]
      if (typeof id === "string" || typeof id === "number") this.#pending.delete(id)
    }
    this.onmessage?.(message)
  }

  /** Answers what is not a message. The id may be null here, which the SDK's types do not know. */
  #refuse(id: RequestId | null, code: number, message: string): Promise<void> {
    return this.#write({ jsonrpc: "2.0", id, error: { code, message } }).catch((error: unknown) => {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)))
    })
  }

  #write(message: object): Promise<void> {
    if (this.#state === "closed") return Promise.reject(new Error("The connection is closed"))
    return new Promise((resolve, reject) => {
      const taken = this.#output.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()))
      if (!taken) this.#input.pause()
    })
  }

  #closeWhenAnswered(): void {
    if (this.#state === "ended" && this.#pending.size === 0) void this.close()
  }
}

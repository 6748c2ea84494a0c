import { Client } from "ssh2"

/** Where raw ssh2 connects to, and with which key. */
export interface RawTarget {
  readonly address: string
  readonly port: number
  readonly user: string
  readonly pem: string
}

/** Raw ssh2 with TCP_NODELAY, which it leaves off; the bench made the host key a moment ago, so any will do. */
export const connectRaw = (target: RawTarget): Promise<Client> =>
  new Promise((resolve, reject) => {
    const client = new Client()
    client.on("error", reject)
    client.on("connect", () => client.setNoDelay(true))
    client.on("ready", () => resolve(client))
    client.connect({
      host: target.address,
      port: target.port,
      username: target.user,
      privateKey: target.pem,
      hostVerifier: () => true,
      readyTimeout: 120_000
    })
  })

/** Runs a command and drops its output; resolves with the number of its bytes, rejects unless it exits with 0. */
export const execRaw = (client: Client, command: string): Promise<number> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error)
      let bytes = 0
      channel.on("data", (chunk: Buffer) => {
        bytes += chunk.length
      })
      channel.stderr.resume()
      channel.on("close", (code: number) => (code === 0 ? resolve(bytes) : reject(new Error(`exit ${code}`))))
      channel.end()
    })
  })

/** Connects, runs a command and hangs up: a cold exec. Resolves at the command's end. */
export const coldRaw = async (target: RawTarget, command: string): Promise<void> => {
  const client = await connectRaw(target)
  await execRaw(client, command)
  client.end()
}

import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { BaseAgent } from "ssh2"
import { type AuthAttempt, makeAuthSequence } from "../../../src/ssh/auth/AuthSequence.ts"

const PUBLIC_KEY = "publickey"
const PASSWORD = "password"
const KEYBOARD = "keyboard-interactive"

/** The sequence looks at the type only; the name stands for what would be sent. */
const attempt = (type: "publickey" | "agent" | "password" | "keyboard-interactive", name: string) => {
  const method = {
    type,
    username: name,
    key: name,
    password: name,
    agent: name as string | BaseAgent,
    prompt: () => {}
  }
  let signed = false
  const made: AuthAttempt = { label: "key", method, hasSigned: () => signed }
  return { ...made, name, sign: () => (signed = true) }
}

type Attempt = ReturnType<typeof attempt>

/** A server that wants each of `steps`: a wire name, and what it accepts for it. */
interface Step {
  readonly type: string
  readonly accepts: ReadonlyArray<string>
}

/** What a client that follows the sequence sends to a server, as ssh2 tells it the answers. Bounded, to catch a loop. */
const authenticate = (attempts: ReadonlyArray<Attempt>, steps: ReadonlyArray<Step>) => {
  const next = makeAuthSequence(attempts)
  const sent: Array<string> = []
  let step = 0
  let left: ReadonlyArray<string> | null = null
  let partial: boolean | null = null
  for (let round = 0; round < 100; round++) {
    const method = next(left, partial)
    if (method === false) return { authenticated: false, sent }
    const chosen = attempts.find((each) => each.method === method)!
    sent.push(chosen.name)
    const wanted = steps[step]!
    const type = method.type === "agent" ? PUBLIC_KEY : method.type
    const right = wanted.type === type && wanted.accepts.includes(chosen.name)
    if (right) {
      step++
      if (method.type === "agent") chosen.sign()
      if (step === steps.length) return { authenticated: true, sent }
    }
    // ssh2 keeps the answer to an agent's key to itself.
    if (method.type !== "agent") {
      left = [steps[step]!.type]
      partial = right
    }
  }
  return { authenticated: false, sent: ["endless"] }
}

const all = () => [
  attempt("publickey", "certificate"),
  attempt("publickey", "key"),
  attempt("agent", "agent1"),
  attempt("agent", "agent2"),
  attempt("password", "password"),
  attempt("keyboard-interactive", "prompts")
]

describe("a sequence of attempts", () => {
  const rows: ReadonlyArray<readonly [name: string, steps: ReadonlyArray<Step>, sent: ReadonlyArray<string>]> = [
    ["begins with the certificate", [{ type: PUBLIC_KEY, accepts: ["certificate"] }], ["certificate"]],
    ["goes on with the key", [{ type: PUBLIC_KEY, accepts: ["key"] }], ["certificate", "key"]],
    [
      "then with each key of the agent",
      [{ type: PUBLIC_KEY, accepts: ["agent2"] }],
      ["certificate", "key", "agent1", "agent2"]
    ],
    ["skips what the server does not accept", [{ type: PASSWORD, accepts: ["password"] }], ["certificate", "password"]],
    [
      "answers prompts where there is no password method",
      [{ type: KEYBOARD, accepts: ["prompts"] }],
      ["certificate", "prompts"]
    ],
    [
      "goes from an accepted key to the password",
      [
        { type: PUBLIC_KEY, accepts: ["key"] },
        { type: PASSWORD, accepts: ["password"] }
      ],
      ["certificate", "key", "password"]
    ],
    [
      "tries keys again after the password, when that had to come first",
      [
        { type: PASSWORD, accepts: ["password"] },
        { type: PUBLIC_KEY, accepts: ["certificate"] }
      ],
      ["certificate", "password", "certificate"]
    ],
    [
      "gives two keys to a server that wants two",
      [
        { type: PUBLIC_KEY, accepts: ["key"] },
        { type: PUBLIC_KEY, accepts: ["certificate"] }
      ],
      ["certificate", "key", "certificate"]
    ],
    [
      "goes from an agent's key that signed to the password, before the agent's others",
      [
        { type: PUBLIC_KEY, accepts: ["agent1"] },
        { type: PASSWORD, accepts: ["password"] }
      ],
      ["certificate", "key", "agent1", "password"]
    ],
    [
      "does all three factors",
      [
        { type: PUBLIC_KEY, accepts: ["certificate"] },
        { type: PASSWORD, accepts: ["password"] },
        { type: KEYBOARD, accepts: ["prompts"] }
      ],
      ["certificate", "password", "prompts"]
    ]
  ]
  for (const [name, steps, sent] of rows) {
    it(name, () => assert.deepStrictEqual(authenticate(all(), steps), { authenticated: true, sent }))
  }

  it("ends when the server takes nothing", () => {
    assert.deepStrictEqual(authenticate(all(), [{ type: PUBLIC_KEY, accepts: [] }]), {
      authenticated: false,
      sent: ["certificate", "key", "agent1", "agent2"]
    })
    assert.deepStrictEqual(authenticate(all(), [{ type: "hostbased", accepts: [] }]).sent, ["certificate"])
  })

  it("does not send the password to a server that does not ask for one", () => {
    assert.notInclude(authenticate(all(), [{ type: PUBLIC_KEY, accepts: [] }]).sent, "password")
    const agentOnly = [attempt("publickey", "key"), attempt("agent", "agent1"), attempt("password", "password")]
    assert.deepStrictEqual(authenticate(agentOnly, [{ type: PUBLIC_KEY, accepts: [] }]).sent, ["key", "agent1"])
  })

  it("does not take the answer to an earlier attempt for that to an agent's key", () => {
    const [agent, prompts, password] = [
      attempt("agent", "agent1"),
      attempt("keyboard-interactive", "prompts"),
      attempt("password", "password")
    ]
    const next = makeAuthSequence([agent, prompts, password])
    assert.strictEqual(next(null, null), agent.method)
    assert.strictEqual(next(null, null), prompts.method)
    assert.strictEqual(next([PASSWORD], false), password.method)
    assert.strictEqual(next([PUBLIC_KEY, KEYBOARD], true), agent.method)
    assert.strictEqual(next([PUBLIC_KEY, KEYBOARD], true), prompts.method, "still what the password got")
    assert.strictEqual(next([PUBLIC_KEY], true), agent.method, "never accepted so far")
    assert.isFalse(next([PUBLIC_KEY], true))
  })

  const Answers = Schema.Array(
    Schema.Struct({
      left: Schema.Array(Schema.Literals([PUBLIC_KEY, PASSWORD, KEYBOARD])),
      partial: Schema.Boolean,
      signs: Schema.Boolean
    })
  )
  it.prop(
    "ends against any server, after at most one try of each method for each partial success",
    [Answers],
    ([answers]) => {
      const attempts = all()
      const next = makeAuthSequence(attempts)
      const always = { left: [PUBLIC_KEY, PASSWORD, KEYBOARD], partial: true, signs: true } as const
      let answer: (typeof answers)[number] | undefined
      for (let sent = 0; sent <= attempts.length * (attempts.length + 1); sent++) {
        const method = next(answer?.left ?? null, answer?.partial ?? null)
        if (method === false) return
        answer = answers[sent] ?? always
        if (answer.signs) attempts.find((each) => each.method === method)?.sign()
      }
      assert.fail("endless")
    }
  )
})

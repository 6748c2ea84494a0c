import { Config, Effect, Option } from "effect"

/**
 * One environment variable, read through the `ConfigProvider` in context so that a test or an embedding program can
 * replace the environment. Unset, empty and unreadable are all `none`.
 */
export const environmentVariable = (name: string): Effect.Effect<Option.Option<string>> =>
  Effect.orElseSucceed(Config.option(Config.String(name)), () => Option.none())

import { staticText, type Word } from "../shell/Word.ts"
import { findFree, type Guard, mayBeginWith, NAME_IT, shown } from "./Argument.ts"
import { guardOptions, type OptionGuard } from "./OptionGuard.ts"
import { isNoFile } from "./OptionGuards.ts"

const words = (text: string): ReadonlyArray<string> => text.split(" ")

const isReadingMethod = (value: Word): boolean => /^(?:GET|HEAD|OPTIONS)$/.test(staticText(value) ?? "")

/** A value that begins with `@` names a file to read it from. */
const isNoFileReference = (value: Word): boolean => !mayBeginWith(value, "@")

/** What curl writes about a transfer may go to a file, by a format of its own or one that it reads from a file. */
const isPlainFormat = (value: Word): boolean => {
  const text = staticText(value)
  return text !== undefined && !text.startsWith("@") && !text.includes("%output{")
}

const CURL: OptionGuard = {
  refused: "oOTKFxDcJdEQXwH",
  values: "AbcCdDeEFHKmoPQrtTuUwxXyYz",
  optional: "h",
  refusedLong: words(
    "--output --output-dir --remote-name --remote-name-all --remote-header-name --upload-file --config --form " +
      "--form-string --proxy --proxy1.0 --preproxy --socks4 --socks4a --socks5 --socks5-hostname --dump-header " +
      "--cookie-jar --data --data-ascii --data-binary --data-raw --data-urlencode --json --url-query --variable --cert " +
      "--key --quote --trace --trace-ascii --stderr --libcurl --hsts --alt-svc --etag-save --ssl-sessions --unix-socket " +
      "--abstract-unix-socket --connect-to --resolve --doh-url --dns-servers --engine --netrc-file --create-dirs " +
      "--request --write-out --header --proxy-header --mail-rcpt --mail-from --krb"
  ),
  longValues: words(
    "--output --dump-header --stderr --request --write-out --header --proxy-header --user-agent --cookie --continue-at " +
      "--referer --max-time --range --user --proxy-user --connect-timeout --speed-limit --speed-time --retry " +
      "--retry-delay --retry-max-time --max-redirs --url --cacert --capath --limit-rate --noproxy --interface --proto " +
      "--proto-redir --tls-max --ciphers --max-filesize --oauth2-bearer --keepalive-time --upload-file --config"
  ),
  longFlags: words(
    "--silent --show-error --location --fail --fail-with-body --include --head --insecure --verbose --compressed --get " +
      "--http1.1 --http2 --ipv4 --ipv6 --no-progress-meter --next --path-as-is --globoff --no-keepalive"
  ),
  harmless: {
    "-o": isNoFile,
    "--output": isNoFile,
    "-D": isNoFile,
    "--dump-header": isNoFile,
    "--stderr": isNoFile,
    "-X": isReadingMethod,
    "--request": isReadingMethod,
    "-w": isPlainFormat,
    "--write-out": isPlainFormat,
    "-H": isNoFileReference,
    "--header": isNoFileReference,
    "--proxy-header": isNoFileReference
  }
}

const guardCurlOptions = guardOptions(CURL)

/** curl may fetch; it may not write a file, send one, or go by another way. `--expand-x` is `--x` with variables. */
const guardCurl: Guard = (args) => {
  const expands = findFree(args, (word) => mayBeginWith(word, "--exp") && word._tag === "Static")
  if (expands !== undefined && !expands.word.text.startsWith("--expect100")) {
    return `The option ${shown(expands)} is not safe. ${NAME_IT}`
  }
  return guardCurlOptions(args)
}

const KUBECTL: OptionGuard = {
  refused: "sk",
  values: "nlocLvsk",
  maybeValues: "fpeitmhqRwA",
  refusedLong: words(
    "--kubeconfig --server --token --as --as-group --as-uid --as-user-extra --context --cluster --user --username " +
      "--password --client-certificate --client-key --certificate-authority --tls-server-name " +
      "--insecure-skip-tls-verify --cache-dir --profile --profile-output --log-file --log-dir --log-backtrace-at --raw " +
      "--kustomize --proxy-url"
  ),
  longValues: words(
    "--namespace --selector --output --container --since --since-time --tail --sort-by --field-selector --limit-bytes " +
      "--template --label-columns --timeout --for --request-timeout --chunk-size --kubeconfig --server --token --as " +
      "--as-group --as-uid --context --cluster --user --raw"
  ),
  longFlags: words(
    "--all-namespaces --watch --watch-only --follow --previous --no-headers --show-labels --all-containers " +
      "--timestamps --containers --ignore-not-found --show-kind --show-managed-fields --recursive --prefix"
  )
}

/** The options of a container client itself. Only those that lead nowhere else are known. */
const CONTAINER: OptionGuard = {
  onlyFlags: "Dvh",
  refused: "Hca",
  values: "lnHca",
  refusedLong: words("--host --context --config --url --connection --identity --root --runroot --address"),
  longValues: words(
    "--log-level --namespace --host --context --config --url --connection --identity --root --runroot --address"
  ),
  longFlags: ["--debug", "--version", "--help"],
  endsAt: 1,
  terminators: []
}

/** podman and nerdctl take their own options behind the sub-command too. */
const CONTAINER_COMMAND: OptionGuard = {
  refused: "H",
  maybeValues: "bcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ",
  refusedLong: words(
    "--host --context --url --connection --remote --identity --root --runroot --imagestore --module --hooks-dir " +
      "--conmon --tlscacert --tlscert --tlskey --tlsverify --address --data-root --cni-path --cni-netconfpath " +
      "--network-cmd-path --network-config-dir --out --storage-opt --default-mounts-file --volumepath --tmpdir"
  ),
  longValues: words("--filter --format --since --until --tail --last"),
  longFlags: words(
    "--all --quiet --no-trunc --no-stream --follow --timestamps --details --digests --services --size --latest"
  )
}

/** The guards of clients of other services: curl, kubectl, docker, podman, nerdctl. */
export const CLIENT_GUARDS: ReadonlyMap<string, Guard> = new Map<string, Guard>([
  ["curl", guardCurl],
  ["kubectl", guardOptions(KUBECTL)],
  // docker takes its own options before the sub-command only.
  ["docker", guardOptions(CONTAINER, { ...CONTAINER_COMMAND, acceptsUnknown: true })],
  ...["podman", "nerdctl"].map((program): [string, Guard] => [program, guardOptions(CONTAINER, CONTAINER_COMMAND)])
])

import type { OptionGuard } from "./OptionGuard.ts"

/**
 * Programs whose options write files, run programs or lead to another host, from their man pages (coreutils 9, GNU grep
 * 3, systemd 252, iproute2 6, curl 8, docker 27, kubectl 1.31, git 2.39). A program may have more than one guard.
 */
export const OPTION_GUARDS: ReadonlyMap<string, ReadonlyArray<OptionGuard>> = new Map<
  string,
  ReadonlyArray<OptionGuard>
>([
  [
    "sort",
    [
      {
        short: "oT",
        values: "kStT",
        long: ["--output", "--temporary-directory", "--compress-program", "--files0-from"]
      }
    ]
  ],
  ["wc", [{ long: ["--files0-from"] }]],
  ["du", [{ long: ["--files0-from"] }]],
  ["ss", [{ short: "KDFN", values: "fA", long: ["--kill", "--diag", "--filter", "--net"] }]],
  [
    "curl",
    [
      {
        short: "oOTKFxDcJdEQ",
        values: "AbCeHhmPrtuUwXyYz",
        long: [
          "--output",
          "--output-dir",
          "--remote-name",
          "--remote-name-all",
          "--remote-header-name",
          "--upload-file",
          "--config",
          "--form",
          "--form-string",
          "--proxy",
          "--preproxy",
          "--socks4",
          "--socks4a",
          "--socks5",
          "--socks5-hostname",
          "--dump-header",
          "--cookie-jar",
          "--data",
          "--data-ascii",
          "--data-binary",
          "--data-raw",
          "--data-urlencode",
          "--json",
          "--url-query",
          "--variable",
          "--cert",
          "--key",
          "--quote",
          "--trace",
          "--trace-ascii",
          "--stderr",
          "--libcurl",
          "--hsts",
          "--alt-svc",
          "--etag-save",
          "--unix-socket",
          "--abstract-unix-socket",
          "--connect-to",
          "--resolve",
          "--engine",
          "--netrc-file",
          "--create-dirs"
        ]
      }
    ]
  ],
  [
    "journalctl",
    [
      {
        short: "DM",
        values: "ucnotpSUgM",
        long: [
          "--vacuum-size",
          "--vacuum-time",
          "--vacuum-files",
          "--rotate",
          "--flush",
          "--sync",
          "--relinquish-var",
          "--smart-relinquish-var",
          "--setup-keys",
          "--update-catalog",
          "--cursor-file",
          "--directory",
          "--file",
          "--root",
          "--image",
          "--machine",
          "--namespace"
        ]
      }
    ]
  ],
  ["systemctl", [{ short: "HM", values: "tpPnos", long: ["--host", "--machine", "--root", "--image"] }]],
  [
    "kubectl",
    [
      {
        short: "s",
        values: "nlocLv",
        long: [
          "--kubeconfig",
          "--server",
          "--token",
          "--as",
          "--as-group",
          "--as-uid",
          "--context",
          "--cluster",
          "--user",
          "--username",
          "--password",
          "--client-certificate",
          "--client-key",
          "--certificate-authority",
          "--tls-server-name",
          "--insecure-skip-tls-verify",
          "--cache-dir",
          "--profile",
          "--profile-output",
          "--log-file",
          "--log-dir",
          "--raw"
        ]
      }
    ]
  ],
  [
    "git",
    [
      {
        short: "c",
        values: "C",
        leading: true,
        long: ["--exec-path", "--config-env", "--git-dir", "--work-tree", "--namespace", "--paginate"]
      },
      {
        long: [
          "--output",
          "--output-directory",
          "--ext-diff",
          "--textconv",
          "--open-files-in-pager",
          "--upload-pack",
          "--receive-pack",
          "--exec",
          "--extcmd",
          "--tool",
          "--template",
          "--config",
          "--edit",
          "--file"
        ]
      }
    ]
  ],
  [
    "grep",
    // A pattern file of the caller's choice would read any file through a rule for one directory.
    [{ short: "f", values: "eABCmdD", long: ["--file"] }]
  ],
  ["hostname", [{ short: "Fb", long: ["--file", "--boot"] }]],
  [
    "dmesg",
    [
      {
        short: "CcDEn",
        values: "fFlsn",
        long: ["--clear", "--read-clear", "--console-off", "--console-on", "--console-level"]
      }
    ]
  ],
  ["rg", [{ long: ["--pre", "--pre-glob", "--hostname-bin", "--search-zip"] }]],
  ["tcpdump", [{ short: "wzWGCrFVZ", values: "icsBjTyQE", long: ["--postrotate-command"] }]]
])

const CONTAINER_GUARD: ReadonlyArray<OptionGuard> = [
  {
    short: "Hc",
    values: "l",
    leading: true,
    long: [
      "--host",
      "--context",
      "--config",
      "--url",
      "--connection",
      "--remote",
      "--identity",
      "--root",
      "--runroot",
      "--module",
      "--hooks-dir",
      "--conmon",
      "--runtime",
      "--tls",
      "--tlscacert",
      "--tlscert",
      "--tlskey",
      "--tlsverify"
    ],
    longValues: ["--log-level"]
  },
  { short: "H", long: ["--host", "--context"] }
]

/** The guards of container clients, which share their options. */
export const CONTAINER_GUARDS: ReadonlyMap<string, ReadonlyArray<OptionGuard>> = new Map(
  ["docker", "podman", "nerdctl"].map((program) => [program, CONTAINER_GUARD])
)

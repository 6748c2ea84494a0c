import { staticText, type Word } from "../shell/Word.ts"
import type { OptionGuard } from "./OptionGuard.ts"

const words = (text: string): ReadonlyArray<string> => text.split(" ")

/** Whether an output goes nowhere, or to standard output. */
export const isNoFile = (value: Word): boolean => {
  const text = staticText(value)
  return text === "/dev/null" || text === "-"
}

/** Whether a file to read is standard input. */
export const isStandardInput = (value: Word): boolean => staticText(value) === "-"

const GREP: OptionGuard = {
  // A pattern file of the caller's choice would read any file through a rule for one directory.
  refused: "f",
  values: "efABCmdD",
  refusedLong: ["--file"],
  longValues: words(
    "--regexp --file --after-context --before-context --context --max-count --label --include --exclude --exclude-dir " +
      "--binary-files --devices --directories --exclude-from"
  ),
  longFlags: words(
    "--extended-regexp --fixed-strings --basic-regexp --perl-regexp --ignore-case --invert-match --word-regexp " +
      "--line-regexp --count --quiet --silent --no-messages --line-number --no-filename --with-filename --only-matching " +
      "--recursive --files-with-matches --files-without-match --text --null --null-data --line-buffered"
  ),
  harmless: { "-f": isStandardInput, "--file": isStandardInput },
  acceptsUnknown: true
}

const FD: OptionGuard = {
  refused: "xX",
  values: "xXdEtecSjo",
  refusedLong: ["--exec", "--exec-batch"]
}

const RUNS_PACKAGE_HOOKS: OptionGuard = {
  refused: "oc",
  values: "octaq",
  refusedLong: ["--option", "--config-file"]
}

/**
 * Programs whose options write files, run programs, change the host or lead to another one, from their man pages
 * (coreutils 9, GNU grep 3, systemd 252, iproute2 6, util-linux 2.38, rsync 3.2, OpenSSH 9). Where `reads` is set, the
 * options only read files that a rule may not mean: static words are refused, dynamic ones accepted.
 */
export const OPTION_GUARDS: ReadonlyMap<string, ReadonlyArray<OptionGuard>> = new Map<
  string,
  ReadonlyArray<OptionGuard>
>([
  [
    "sort",
    [
      {
        refused: "oT",
        values: "kStTo",
        optional: "y",
        refusedLong: words("--output --temporary-directory --compress-program --files0-from"),
        longValues: words(
          "--key --field-separator --buffer-size --parallel --batch-size --random-source --sort --output " +
            "--temporary-directory --compress-program --files0-from"
        ),
        longFlags: words(
          "--reverse --unique --numeric-sort --human-numeric-sort --general-numeric-sort --version-sort --stable " +
            "--ignore-case --ignore-leading-blanks --dictionary-order --month-sort --zero-terminated --merge --debug"
        )
      }
    ]
  ],
  [
    "wc",
    [{ refusedLong: ["--files0-from"], longFlags: words("--lines --words --bytes --chars"), acceptsUnknown: true }]
  ],
  [
    "du",
    [{ values: "BdtX", refusedLong: ["--files0-from"], longFlags: words("--summarize --all"), acceptsUnknown: true }]
  ],
  ...["grep", "egrep", "fgrep"].map((program): [string, ReadonlyArray<OptionGuard>] => [program, [GREP]]),
  [
    "ss",
    [
      {
        refused: "KDFN",
        values: "fAFDN",
        refusedLong: words("--kill --diag --filter --net"),
        longValues: words("--family --query --socket --diag --filter --net"),
        longFlags: words("--numeric --all --listening --processes --tcp --udp --unix --summary --extended --no-header")
      }
    ]
  ],
  [
    "journalctl",
    [
      {
        refused: "DMi",
        values: "ucotpSUgMFDTi",
        // The word behind them is their value only when it looks like a number or a boot.
        optional: "nb",
        refusedLong: words(
          "--vacuum-size --vacuum-time --vacuum-files --rotate --flush --sync --relinquish-var --smart-relinquish-var " +
            "--setup-keys --update-catalog --cursor-file --directory --file --root --image --machine --namespace"
        ),
        longValues: words(
          "--unit --user-unit --since --until --priority --grep --identifier --output --cursor --after-cursor --field " +
            "--facility --output-fields --case-sensitive --verify-key --interval --machine --directory --file --root " +
            "--image --namespace --cursor-file --vacuum-size --vacuum-time --vacuum-files"
        ),
        longFlags: words(
          "--no-pager --follow --reverse --dmesg --quiet --all --catalog --merge --utc --no-hostname --list-boots " +
            "--disk-usage --system --user --no-full --full --pager-end --no-tail --lines --boot"
        )
      }
    ]
  ],
  [
    "systemctl",
    [
      {
        refused: "HM",
        values: "tpPnosHM",
        refusedLong: words("--host --machine --root --image"),
        longValues: words(
          "--type --state --property --lines --output --signal --job-mode --kill-whom --kill-who --what --host " +
            "--machine --root --image"
        ),
        longFlags: words(
          "--no-pager --all --full --quiet --failed --no-legend --plain --value --now --recursive --reverse --user " +
            "--system --no-block --no-ask-password --wait --show-types"
        )
      }
    ]
  ],
  [
    "dmesg",
    [
      {
        refused: "CcDEn",
        values: "fFlsnK",
        refusedLong: words("--clear --read-clear --console-off --console-on --console-level"),
        longValues: words("--facility --file --level --buffer-size --console-level --time-format --kmsg-file"),
        longFlags: words("--human --ctime --decode --follow --kernel --reltime --raw --nopager --notime --userspace")
      }
    ]
  ],
  [
    "rg",
    [
      {
        refused: "z",
        values: "ABCEefgjmMrtTd",
        refusedLong: words("--pre --pre-glob --hostname-bin --search-zip"),
        longValues: words(
          "--regexp --file --glob --iglob --type --type-not --max-count --max-depth --max-columns --context " +
            "--after-context --before-context --replace --threads --encoding --sort --pre --pre-glob --hostname-bin"
        ),
        longFlags: words(
          "--ignore-case --smart-case --line-number --no-line-number --count --files --hidden --no-ignore --json " +
            "--fixed-strings --invert-match --word-regexp --only-matching --files-with-matches --no-heading --quiet"
        )
      }
    ]
  ],
  [
    "tcpdump",
    [
      {
        refused: "wzWGCrFVZ",
        values: "icsBjTyQEmMwzWGCrFVZ",
        refusedLong: ["--postrotate-command"],
        longValues: words(
          "--interface --snapshot-length --buffer-size --direction --linktype --time-stamp-type --count"
        )
      }
    ]
  ],
  ["fd", [FD]],
  ["fdfind", [FD]],
  ["tree", [{ refused: "oR", values: "oLPIHT" }]],
  ["shuf", [{ refused: "o", values: "oin", refusedLong: ["--output"] }]],
  ["yq", [{ refused: "is", maybeValues: "ispoIfy", refusedLong: words("--inplace --in-place --split-exp") }]],
  ["fuser", [{ refused: "k", values: "nN", refusedLong: ["--kill"] }]],
  ["pidstat", [{ refused: "e", values: "eCGTpU" }]],
  ["sar", [{ refused: "o", maybeValues: "oABbdFfHhIijmnPpqrSsTtuVvWwyz" }]],
  [
    "rpm",
    [
      {
        refused: "EDreUFi",
        maybeValues: "EDrpf",
        refusedLong: words(
          "--eval --define --undefine --pipe --rcfile --macros --load --root --dbpath --erase --upgrade --freshen " +
            "--install --import --initdb --rebuilddb --setperms --setugids --restore"
        )
      }
    ]
  ],
  ...["apt", "apt-get", "apt-cache", "apt-config"].map((program): [string, ReadonlyArray<OptionGuard>] => [
    program,
    [RUNS_PACKAGE_HOOKS]
  ]),
  [
    "rsync",
    [
      {
        refused: "eM",
        values: "efBTMF@",
        refusedLong: words(
          "--rsh --rsync-path --remote-option --daemon --config --dparam --log-file --write-batch --only-write-batch " +
            "--password-file --early-input"
        )
      }
    ]
  ],
  ["scp", [{ refused: "SoFJDi", values: "SoFJDicPlX" }]],
  ["sftp", [{ refused: "SoFJDibs", values: "SoFJDibscPlXBR" }]],
  // Options end at the command for the other host, which is the second operand.
  ["ssh", [{ refused: "oFJSwWLRDIiEmeO", values: "BbcDEeFIiJLlmOoPpQRSWw", endsAt: 2 }]]
])

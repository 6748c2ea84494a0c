import { quoteCommand } from "../policy/shell/Quote.ts"
import type { ImportedInventory, Remark } from "./sshconfig/Import.ts"
import { printable } from "./Table.ts"

/** Aliases that a line names before it only counts. */
const NAMED = 8

const aliases = (names: ReadonlyArray<string>): string =>
  names.length <= NAMED ? names.join(", ") : `${names.slice(0, NAMED).join(", ")} and ${names.length - NAMED} more`

const remarkLine = ({ hosts, message, place }: Remark): string =>
  printable(`  ${place === "" ? "" : `${place}: `}${message}${hosts.length === 0 ? "" : ` (${aliases(hosts)})`}`)

/**
 * What a person has to look at after an import: keys to be brought into the keys directory, then everything that is not
 * carried over. Pure; one line an element.
 */
export const reviewList = (inventory: ImportedInventory, keysDirectory: string): ReadonlyArray<string> => {
  const { credentials, files, hosts, remarks } = inventory
  const place = ({ name, secret, source }: ImportedInventory["files"][number]): string =>
    printable(`  ${quoteCommand(["install", "-m", secret ? "600" : "644", source, `${keysDirectory}/${name}`])}`)
  return [
    `${hosts.length} ${hosts.length === 1 ? "host" : "hosts"} with ${credentials.length} ${credentials.length === 1 ? "login" : "logins"} carried over; please review.`,
    ...(files.length === 0
      ? []
      : [
          "",
          "Keys are read from the keys directory only, where a link may lead nowhere else. Copy those that agents may use:",
          ...files.map(place)
        ]),
    ...(remarks.length === 0 ? [] : ["", "Not carried over:", ...remarks.map(remarkLine)])
  ]
}

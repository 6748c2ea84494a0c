import { assert, describe, it } from "@effect/vitest"
import { builtinDenial } from "../../src/policy/BuiltinDenials.ts"
import { dynamic, wordsOf } from "./rules/words.ts"

describe("the built-in denials", () => {
  it("are about programs, under any path", () => {
    for (const command of [
      "curl x",
      "/usr/bin/wget",
      "mkfs.ext4 /dev/sda",
      "mkfs",
      "reboot",
      "ssh $x",
      "$x",
      "kubectl get"
    ]) {
      assert.strictEqual(builtinDenial(wordsOf(command)), "program", command)
    }
  })

  it("are about arguments that are, or may become, the denied ones", () => {
    for (const command of [
      "rm -rf /",
      "rm -r -f //",
      "rm --recursive --force /.",
      "rm --rec / -f",
      'rm -rf "$x"',
      "rm -rf $x",
      'rm -rf /"$x"',
      'rm -rf "$x"/',
      "rm -rf $x/*",
      "rm -rf /*",
      "rm $x",
      'rm "$x" /',
      'rm -f "$x" "$x"',
      "rm -r $x b",
      "dd if=/dev/zero of=x",
      "dd if=//dev//zero",
      'dd if="$x"',
      'dd of=x "$x"',
      "dd of=$x",
      "dd if=/dev/z*",
      "shutdown -h now",
      "shutdown --halt",
      'shutdown "$x"',
      "rsync -e ssh a b",
      "rsync -avessh a b",
      "rsync --rsh=/bin/ssh a b",
      'rsync -e "$x" a b',
      'rsync "$x" b',
      "rsync -a $x"
    ]) {
      assert.strictEqual(builtinDenial(wordsOf(command)), "arguments", command)
    }
  })

  it("are about nothing that what is known rules out", () => {
    for (const command of [
      "journalctl -u ssh -n 5",
      "ls reboot",
      "rm -rf /var/tmp/x",
      'rm -rf /var/tmp/"$x"',
      "rm -rf /var/tmp/*",
      "rm -rf *",
      "rm -rf ~",
      "rm -rf ~/a",
      'rm -rf "$x"/cache',
      "rm -rf /*.log",
      'rm "$x"',
      'rm -r "$x"',
      'rm -f "$x"',
      "rm -f /a/*",
      "rm *",
      "dd if=/dev/sda of=x",
      'dd of="$x"',
      "dd if=/var/*",
      "shutdown -c",
      "rsync -a a b",
      'rsync -a a /b/"$x"',
      'rsync --exclude="$x" a b'
    ]) {
      assert.isUndefined(builtinDenial(wordsOf(command)), command)
    }
  })

  it("know when a value is no option", () => {
    const [rm, force] = wordsOf("rm -f")
    const value = dynamic({ mayBeOption: false })
    assert.isUndefined(builtinDenial([rm, ...(force === undefined ? [] : [force]), value, value]))
    assert.isUndefined(builtinDenial([...wordsOf("shutdown"), value]))
  })
})

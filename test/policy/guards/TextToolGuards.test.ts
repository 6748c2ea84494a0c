import { assert, describe, it } from "@effect/vitest"
import { accepts, refusal, refuses } from "./words.ts"

describe("the guards of sort, uniq, sed, awk and what only reads", () => {
  it("guards sort", () => {
    accepts(`
      sort -u x
      sort -k 1o x
      sort -k "$x" y
      sort -k"2" y
      sort -t "$x" -k 2 y
      sort -- "$x" $y *.log
      sort -u -- "$x"
      sort --reverse -- "$x"
      sort --key=2 -- "$x"
      sort "$safe" $safe
      sort /var/log/*.log
      sort --key="$x" y
      sort --key "$x" y
      sort -k1"$x" y
      sort @-o @/tmp/x y
      sort @-o /tmp/x
      sort -`)
    refuses(
      `
      sort -o x y
      sort -uo x y
      sort -ox
      sort --out=x y
      sort --ou x y
      sort --compress-prog=sh y
      sort -T /x y
      sort --temp=/x
      sort --files0-from=x
      sort "$x"
      sort $x
      sort *.log
      sort -k $x y
      sort -"$x" y
      sort -u"$x" y
      sort --"$x" y
      sort --key=$x y
      sort -k -- -o x
      sort --key -- --output=x
      sort --ke -- --output=x
      sort --parallel -- -o x
      sort -k"$x" -- -o y
      sort -k $safe -- -o y
      sort "$x" -- y
      sort x -o y
      sort -uo"$x"`
    )
  })

  it("accepts what may only read more, unless it is written", () => {
    accepts(`
      grep "$x" y
      grep -e "$x" y
      grep -rn $x *.log
      grep -F -f - x
      grep -n x /var/log/*.log
      grep -e -f x
      wc -l "$x" $y *.log
      du -sh "$x" *
      egrep "$x" y`)
    refuses(`
      grep -f x y
      grep -nf x y
      grep --file=x y
      grep --fil x y
      grep -e x -f y
      fgrep -f x y
      wc --files0-from=x
      wc --files0-fr=x
      du --files0-from x`)
  })

  it("guards uniq", () => {
    accepts(`
      uniq
      uniq -c x
      uniq -c -f 1 x
      uniq --skip-fields 1 x
      uniq "$safe"
      uniq -c -- "$x"
      uniq -f "$x" y
      uniq x @y`)
    refuses(`
      uniq x y
      uniq -- x y
      uniq -f -- x y
      uniq "$x"
      uniq x "$y"
      uniq "$x" "$y"
      uniq "$x" y
      uniq $x
      uniq *.log
      uniq -f $x y`)
  })

  it("guards sed", () => {
    accepts(
      `
      sed -n 1p x
      sed -n '1,5p;$p' x
      sed -n 1p -- "$x" $y
      sed -n -e p -- "$x"
      sed -E 's#a/b#c#g' /x/*.log
      sed 's/[/]/x/' y`.replace("\n      sed 's/[/]/x/' y", "")
    )
    accepts(`
      sed 's/[a-z]*/x/g' y
      sed '/[0-9]/d' y
      sed 's/[^\\/]*$//' y
      sed 's/[[:space:]]*$//' y
      sed 's/\\[x\\]/y/' z
      sed '0~3d' x
      sed -n '/start/,/end/p' x
      sed --expression=p x
      sed @w x
      sed @-i @s/a/b/ x
      sed p "$safe"`)
    refuses(
      `
      sed -i s/a/b/ x
      sed -ni p x
      sed --in-pl s/a/b/ x
      sed 's/a/b/e' x
      sed 's/a/b/w y' x
      sed 's/a/b/ge' x
      sed '1e x' y
      sed 'w x' y
      sed r/etc/shadow x
      sed -f x y
      sed -l 5 p x
      sed -n 1p "$x"
      sed -n 1p $x
      sed -n 1p *.log
      sed -n "$x"
      sed -n "$safe"p x
      sed -n "$x"p y
      sed -e "$x" y
      sed -e"$x" y
      sed --expression="$x" y
      sed -- "$x" y
      sed "$x"
      sed -e -- -i
      sed 's/[/]/x/' y
      sed 's/[]/]/p;s/e;/b/p' x
      sed 's/[^]/]/p;s/e;/b/p' x
      sed 's/[a\\]/]/p;s/e;/b/p' x
      sed 's/[[:a:]/]/p;s/e;/b/p' x
      sed '/[]/]/p;s/e;/b/p' x`
    )
  })

  it("guards awk", () => {
    accepts(`
      awk '{print $1}' x
      awk -F: '{print $1, $7}' /etc/passwd
      awk -F "$x" '{print}' y
      awk -v x="$y" '{print x}' z
      awk -v "x=$y" '{print x}' z
      awk '/a|b/ {print $1, ($2 > 3)}' x
      awk '$3 > 80 {print}' x
      awk 'NR == 1 || /x/ {n++} END {print n}' y
      awk '{s += $1} END {print s / NR}' x
      awk '{print $2 / 1024, ($1 + $2) / 2}' x
      awk '{print ($1 + $2) / 2}' x
      awk '$1 ~ /[[:space:]]/ {print length($0)}' x
      awk 'NR > 1 && $5+0 > 80 {print $6}' x
      awk -- '{print}' "$x"
      awk -- '{print}' $x *.log
      awk '{print}' "$safe"
      awk '{print}' /var/log/*.log
      awk @-f @x y`)
    refuses(`
      awk 'BEGIN{system("x")}'
      awk '{print | "x"}' y
      awk '{print > "x"}' y
      awk '{printf("x") > "y"}'
      awk '{"x" | getline}'
      awk '{x++ / "a" | getline / 1}'
      awk '{while ((getline l < "/etc/shadow") > 0) print l}'
      awk '@load "x"'
      awk -f x
      awk -i inplace '{print}' x
      gawk --file=x
      awk "$x"
      awk "$x" y
      awk -v $x '{print}'
      awk -F"$x" '{print}'
      awk -"$x" '{print}'
      awk '{print}' "$x"
      awk '{print}' *.log
      awk '{print}' x -f y
      awk '{print}' /inet/tcp/0/h/80
      awk -v x=/inet/tcp/0/h/80 '{print}'
      awk 'BEGIN { if (1) /"/; print "id" | "sh"; if (1) /"/ }'
      awk 'BEGIN { x = /"/; print "id" | "sh"; x = /"/ }'
      awk 'BEGIN { print length /"/; print "id" | "sh"; print length /"/ }'
      awk 'BEGIN { print /"/; print "id" > "x"; print /"/ }'
      awk 'BEGIN { return /"/; print "id" > "x"; return /"/ }'
      awk '/[[:a:]/"]/; {print "id" | "sh"}; /[[:a:]/"]/'
      awk 'BEGIN { x = y ? /"/ : /"/; print "id" | "sh"; z = /"/ /"/ }'`)
    assert.isString(refusal("awk '{print a ?\n1 : 2 > \"f\"}'"))
    assert.isUndefined(refusal("awk '{print a\n if (b > 2) print c}'"))
  })
})

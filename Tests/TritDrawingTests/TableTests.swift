import Testing
import TritLab

@Suite struct TableTests {
  @Test func numbersStandAtTheRight() {
    let table = Table(["name", "µs"], [["i2_s", "23.5"], ["reference", "490"]])
    #expect(
      table.plain(width: 80) == """
        name         µs
        ---------  ----
        i2_s       23.5
        reference   490
        """)
    #expect(table.markdown.contains("| --- | --: |"))
  }

  @Test func nothingInACellIsMarkup() {
    let table = Table(["a|b"], [["1\\|2\n<b>&"], ["*x* `y` [z](w)"]])
    #expect(
      table.markdown == #"""
        | a\|b |
        | --- |
        | 1\\\|2<br>&lt;b&gt;&amp; |
        | \*x\* \`y\` \[z\](w) |
        """#)
    #expect(table.html.contains("1\\|2<br>&lt;b&gt;&amp;"))
    #expect(table.displayData.plain.split(separator: "\n").count == 4)
  }

  @Test func unevenRowsAndWideTextsFit() {
    let long = String(repeating: "word ", count: 40)
    let table = Table(["n", "text"], [["1"], ["2", long, "more"]])
    let lines = table.displayData.plain.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.joined().components("word") == 40)
    #expect(table.markdown.split(separator: "\n").allSatisfy { $0.filter { $0 == "|" }.count == 4 })
  }

  @Test func wideLettersTakeTwoColumns() {
    let plain = Table(["t", "n"], [["語", "1"], ["ab", "2"]]).displayData.plain
    #expect(plain.hasSuffix("語  1\nab  2"))
  }
}

extension String {
  /// How often `part` stands in it.
  func components(_ part: String) -> Int { ranges(of: part).count }
}

import Testing
import TritLab

import TritExperiments

@Suite struct YAMLTests {
  // Scalars by the core schema of YAML 1.2: what YAML 1.1 read as booleans are strings.
  @Test(arguments: [
    ("null", YAMLScalar.null), ("~", .null), ("", .null), ("true", .bool(true)),
    ("False", .bool(false)), ("no", .string("no")), ("off", .string("off")),
    ("yes", .string("yes")),
    ("12", .integer(12)), ("-3", .integer(-3)), ("+7", .integer(7)), ("0x1F", .integer(31)),
    ("0o17", .integer(15)), ("1e3", .real(1000)), ("0.5", .real(0.5)), (".5", .real(0.5)),
    ("-1.25e-2", .real(-0.0125)), ("1.", .real(1)), (".inf", .real(.infinity)),
    ("-.inf", .real(-.infinity)), ("1_000", .string("1_000")), ("12:30", .string("12:30")),
    ("1.2.3", .string("1.2.3")), ("nan", .string("nan")), ("inf", .string("inf")),
    ("-", .string("-")), ("e3", .string("e3")), ("1e", .string("1e")), ("0x1p3", .string("0x1p3")),
    ("99999999999999999999", .real(1e20)), ("b1.58", .string("b1.58")),
  ]) func plainScalarsMeanWhatYAML12Says(text: String, value: YAMLScalar) {
    #expect(YAMLScalar(text, plain: true) == value)
    #expect(YAMLScalar(text, plain: false) == .string(text))
  }

  @Test func everyKeyAndValueKnowsItsPlace() throws {
    let text = """
      # a comment
      name: quickstart
      base: {kernel: auto, "cache": 'f16'}
      variants:
        - name: ä ö
          layers:
            "blk.0.*": none
      """
    let root = try YAMLReader.read(text, name: "x.yaml")
    #expect(root["name"]?.position.description == "x.yaml:2:7")
    #expect(root["base"]?.entries?[1].keyPosition.description == "x.yaml:3:22")
    #expect(root["base"]?["cache"]?.position.description == "x.yaml:3:31")
    let variant = try #require(root["variants"]?.elements?.first)
    #expect(variant.position.description == "x.yaml:5:5")
    #expect(variant["name"]?.text == "ä ö")
    #expect(variant["layers"]?.entries?[0].keyPosition.description == "x.yaml:7:7")
    #expect(variant["layers"]?["blk.0.*"]?.position.description == "x.yaml:7:18")
  }

  struct BadCase: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var place: String
    var contains: String
    var testDescription: String { name }
  }

  @Test(arguments: [
    BadCase(name: "empty", text: "# nothing\n", place: "x:1:1", contains: "empty"),
    BadCase(
      name: "duplicate", text: "a: 1\nb: 2\na: 3\n", place: "x:3:1", contains: "'a' stands twice"),
    BadCase(
      name: "nested duplicate", text: "a:\n  {b: 1, b: 2}\n", place: "x:2:10",
      contains: "'b' stands twice"),
    BadCase(
      name: "tab", text: "a:\n\tb: 1\n", place: "x:2:1", contains: "cannot start any token"),
    BadCase(
      name: "unclosed", text: "a: [1, 2\nb: 3\n", place: "x:2:2", contains: "did not find"),
    BadCase(name: "indentation", text: "a: 1\n  b: 2\n", place: "x:2:4", contains: "not allowed"),
    BadCase(name: "anchor", text: "a: &x 1\n", place: "x:1:4", contains: "anchors"),
    BadCase(name: "alias", text: "a: 1\nb: *x\n", place: "x:2:4", contains: ""),
    BadCase(name: "tag", text: "a: !!int 1\n", place: "x:1:4", contains: "tags"),
    BadCase(name: "two documents", text: "a: 1\n---\nb: 2\n", place: "x:2:1", contains: "second"),
    BadCase(
      name: "list as key", text: "? [a]\n: 1\n", place: "x:1:3", contains: "key must be plain"),
    BadCase(
      name: "control character", text: "a: 1\nbc: \u{1}\n", place: "x:2:5",
      contains: "control characters"),
  ]) func badTextIsAnErrorWithItsPlace(bad: BadCase) {
    #expect {
      try YAMLReader.read(bad.text, name: "x")
    } throws: { error in
      guard let error = error as? LabError else { return false }
      return error.kind == .badData && error.place == bad.place && error.what.contains(bad.contains)
    }
  }

  @Test func billionLaughsAndDeepNestingEndAtOnce() {
    let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    #expect(throws: LabError.self) { try YAMLReader.read(laughs, name: "x") }
    let deep = String(repeating: "[", count: 5000)
    #expect(throws: LabError.self) { try YAMLReader.read(deep, name: "x") }
  }

  @Test func bytesThatAreNotUTF8AreAnErrorWithItsPlace() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/bad.yaml"
      try AtomicFile.write([0x61, 0x3A, 0x20, 0x31, 0x0A, 0x62, 0x3A, 0x20, 0xFF], to: path)
      #expect {
        try YAMLReader.read(path: path, name: "bad.yaml")
      } throws: { ($0 as? LabError)?.place == "bad.yaml:2:4" }
    }
  }

  @Test func aMissingFileAndAFolderAreMissingInput() {
    for path in ["/nowhere/x.yaml", "/tmp"] {
      #expect {
        try YAMLReader.read(path: path)
      } throws: { ($0 as? LabError)?.kind == .missingInput }
    }
  }

  /// What stood plain in a block is written inside brackets; a blank line in a plain text is a line
  /// break.
  @Test func plainTextsOfBlocksSurviveBeingWrittenInBrackets() throws {
    let text =
      "variants:\n  - name: one, {two} [three]\n    kernel: i2_s\ndescription: first\n\n  second\n"
    let root = try YAMLReader.read(text, name: "x")
    let again = try YAMLReader.read(YAMLWriter.text(root), name: "y")
    #expect(again["variants"]?.elements?[0]["name"]?.text == "one, {two} [three]")
    #expect(again["description"]?.text == "first\nsecond")
  }

  @Test func everyCharacterThatYAMLHoldsIsWritten() throws {
    for scalar in ["\u{7F}", "\u{85}", "\u{A0}", "\u{2028}", "\u{FEFF}", "\u{1B}", "\u{10FFFF}"] {
      let node = YAMLNode(.scalar("a\(scalar)b", plain: false), at: .override("x"))
      let again = try YAMLReader.read(YAMLWriter.text(node), name: "y")
      #expect(again.text?.unicodeScalars.elementsEqual("a\(scalar)b".unicodeScalars) == true)
    }
  }

  @Test func whatTheWriterWritesReadsBack() throws {
    let text = """
      name: "12"
      quoted: "no: #comment, \\"x\\"\\n"
      empty: ""
      nothing: null
      list: [1, two, "true", {a: b}]
      base: {layers: {"blk.0.*": {quantizer: none}}}
      variants: [{name: x y}, {name: "ä"}]
      none: []
      """
    let root = try YAMLReader.read(text, name: "x")
    let written = YAMLWriter.text(root)
    let again = try YAMLReader.read(written, name: "y")
    #expect(YAMLWriter.text(again) == written)
    #expect(again["name"]?.scalar == .string("12"))
    #expect(again["quoted"]?.text == "no: #comment, \"x\"\n")
    #expect(again["empty"]?.scalar == .string(""))
    #expect(again["nothing"]?.isNull == true)
    #expect(again["list"]?.elements?[2].scalar == .string("true"))
    #expect(again["variants"]?.elements?[1]["name"]?.text == "ä")
  }
}

import Testing
import TritLab
import TritNotebook

/// The form of notebooks: what is a cell, where it stands, which marks it may have.
@Suite struct NotebookReaderTests {
  private static let fence = "```"

  private static func cells(_ text: String) throws -> [NotebookCell] {
    try Notebook(text: text, path: "n.md").cells
  }

  @Test func fencesOfThreeLanguagesAreCellsAndOthersAreProse() throws {
    let text = """
      # Title

      ```swift
      let a = 1
      ```
      words
      ```sh
      trit list kernel
      ```
      ```yaml
      name: prose
      ```
      ~~~yaml experiment
      name: cell
      ~~~
      ````c
      int f(void);
      ```
      ````
      """
    let notebook = try Notebook(text: text, path: "n.md")
    #expect(notebook.title == "Title")
    #expect(notebook.cells.map(\.language) == [.swift, .experiment, .c])
    #expect(notebook.cells.map(\.line) == [4, 14, 17])
    #expect(notebook.cells.map(\.id) == ["c01", "c02", "c03"])
    #expect(notebook.cells.last?.text == "int f(void);\n```")
  }

  @Test func marksAreReadAndUnknownOnesRefusedWithTheirLine() throws {
    let cells = try Self.cells("```swift raises solution\nf()\n```\n```swift no-run\ng()\n```\n")
    #expect(cells.map(\.options) == [[.raises, .solution]])
    let error = #expect(throws: LabError.self) {
      try Self.cells("\n```swift raisse\nf()\n```\n")
    }
    #expect(error?.place == "n.md:2")
    #expect(error?.advice?.contains("raises") == true)
  }

  @Test func aFenceThatIsNotClosedIsRefusedWhereItBegins() throws {
    let error = #expect(throws: LabError.self) { try Self.cells("a\n```swift\nlet a = 1\n") }
    #expect(error?.place == "n.md:2")
  }

  @Test func linesOfWindowsAreLines() throws {
    let cells = try Self.cells("a\r\n```swift\r\nlet a = 1\r\nlet b = 2\r\n```\r\n")
    #expect(cells.map(\.text) == ["let a = 1\nlet b = 2"])
    #expect(cells.map(\.line) == [3])
  }

  @Test func indentedFencesLoseTheirIndent() throws {
    #expect(
      try Self.cells("- item\n\n  ```swift\n  if a {\n    b()\n  }\n  ```\n").map(\.text) == [
        "if a {\n  b()\n}"
      ])
  }

  // MARK: Knobs

  private static let knobs =
    "```swift parameters\nlet threshold: Double = 0.5  // in γ\nlet name = \"tiny\"\nvar count = 3\nlet on = true\n```\n```swift\nlet other = 1\n```\n"

  @Test func knobsAreTheConstantsOfCellsOfParameters() throws {
    let notebook = try Notebook(text: Self.knobs, path: "n.md")
    #expect(notebook.knobs.map(\.name) == ["threshold", "name", "count", "on"])
    #expect(notebook.knobs.map(\.value) == ["0.5", "\"tiny\"", "3", "true"])
  }

  @Test func settingAKnobChangesItsLineAlone() throws {
    var notebook = try Notebook(text: Self.knobs, path: "n.md")
    try notebook.set(["threshold=0.75", "name=a\"b\\(1)", "on=false"])
    let lines = notebook.cells[0].text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "let threshold: Double = 0.75  // in γ")
    // A text stays one: neither quotes nor interpolations become code.
    #expect(lines[1] == #"let name = "a\"b\\(1)""#)
    #expect(lines[2] == "var count = 3")
    #expect(lines[3] == "let on = false")
  }

  /// What a person gives, by the constant as the notebook has it, and the constant that it makes.
  private static let settings: [(constant: String, text: String, value: String)] = [
    // A whole number for one with a point stays one with a point: without it Swift makes an Int.
    ("x = 97.0", "98", "98.0"), ("x = 97.0", "-98", "-98.0"), ("x = 0.5", ".25", "0.25"),
    ("x = 0.5", "1e-3", "1e-3"), ("x = 0.5", "+2.5", "2.5"), ("x = 1e3", "5", "5.0"),
    ("x: Double = 5", "0.5", "0.5"), ("x: Double = 5", "7", "7.0"), ("x: Float = 5", "1.", "1.0"),
    ("x = 3", "1_000", "1_000"), ("x = 3", "+4", "4"), ("x = 3", "0x10", "0x10"),
    ("x: UInt8 = 3", "255", "255"), ("x: Int? = 3", "nil", "nil"), ("x: Int? = nil", "4", "4"),
    ("x: [Double] = [1, 2]", "[3, 4]", "[3.0, 4.0]"), ("x = [0.5, 1]", "[2, .5]", "[2.0, 0.5]"),
    ("x = [1, 2]", "[]", "[]"), (#"x = ["a"]"#, #"[b, "c"]"#, #"["b", "c"]"#),
    (#"x = "a // b"  // c"#, "http://d", #""http://d""#), ("x = .row", "tensor", ".tensor"),
  ]

  @Test(arguments: settings.indices) func aValueKeepsTheTypeOfItsKnob(_ index: Int) throws {
    let setting = Self.settings[index]
    var notebook = try Notebook(
      text: "```swift parameters\nlet \(setting.constant)\n```\n", path: "n.md")
    try notebook.set(["x=\(setting.text)"])
    #expect(notebook.knobs.map(\.value) == [setting.value])
  }

  @Test(arguments: [
    ("x = 97.0", "nan"), ("x = 97.0", "1e999"), ("x = 97.0", "0x1p3"), ("x: Double = 5", "five"),
    ("x: UInt8 = 3", "256"), ("x: UInt8 = 3", "-1"), ("x = 3", "1.0"),
    ("x = 3", "9223372036854775808"),
    ("x = [1, 2]", "[0.5]"), ("x = [1, 2]", "3"), ("x = [1.5]", "[f()]"), ("x = true", "yes"),
    ("x = .row", ".row()"), ("x = 3", "nil"),
  ])
  func whatWouldChangeTheTypeOfAKnobIsRefused(_ constant: String, _ text: String) throws {
    var notebook = try Notebook(
      text: "```swift parameters\nlet \(constant)\n```\n", path: "n.md")
    let error = #expect(throws: LabError.self) { try notebook.set(["x=\(text)"]) }
    #expect(error?.advice?.contains(constant) == true)
  }

  @Test func whatIsNoLiteralIsNoKnob() throws {
    let text =
      "let a = f()\nlet b = \"x\" + y\nlet c = 1, d = 2\nlet e = \"\\(a)\"\nlet g = [1, h]\nlet k = -1"
    let notebook = try Notebook(text: "```swift parameters\n\(text)\n```\n", path: "n.md")
    #expect(notebook.knobs.map(\.name) == ["k"])
  }

  @Test(arguments: [
    "threshold=much", "count=1.5", "on=1", "other=2", "thresholt=1", "threshold", "count=f()",
  ])
  func whatIsNoValueOfAKnobIsRefused(_ setting: String) throws {
    var notebook = try Notebook(text: Self.knobs, path: "n.md")
    #expect(throws: LabError.self) { try notebook.set([setting]) }
  }
}

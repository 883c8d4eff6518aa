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
    #expect(lines[0] == "let threshold: Double = 0.75")
    // A text stays one: neither quotes nor interpolations become code.
    #expect(lines[1] == #"let name = "a\"b\\(1)""#)
    #expect(lines[2] == "var count = 3")
    #expect(lines[3] == "let on = false")
  }

  @Test(arguments: [
    "threshold=much", "count=1.5", "on=1", "other=2", "thresholt=1", "threshold", "count=f()",
  ])
  func whatIsNoValueOfAKnobIsRefused(_ setting: String) throws {
    var notebook = try Notebook(text: Self.knobs, path: "n.md")
    #expect(throws: LabError.self) { try notebook.set([setting]) }
  }
}

import Foundation
import Testing
import TritLab
import _TritTestSupport

/// `trit notebook convert`: notebooks for Jupyter that are not run.
@Suite struct NotebookCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder("convert")
    try folder.write(
      """
      # A lesson

      So many: **3**<!--= count -->. Next: [02](02.md).

      ```swift parameters
      let count = 3.0
      ```

      ```c
      int f(void) { return 1; }
      ```

      """, to: "01.md")
    try folder.write("# Another\n\n```swift\n1\n```\n", to: "02.md")
  }

  private func convert(_ words: [String]) throws -> CommandResult {
    try CommandRunner.run(["notebook", "convert"] + words)
  }

  private func cells(_ path: String) throws -> [(kind: String?, text: String)] {
    let document = try JSONReader.read(try String(contentsOfFile: path, encoding: .utf8))
    #expect(document["metadata"]?["kernelspec"]?["name"]?.string == "trit")
    #expect(document["nbformat"]?.integer == 4)
    return (document["cells"]?.array ?? []).map { cell in
      #expect((cell["outputs"]?.array ?? []).isEmpty)
      let lines = cell["source"]?.array ?? []
      return (cell["cell_type"]?.string, lines.compactMap(\.string).joined())
    }
  }

  @Test func aNotebookIsConvertedBesideItsFile() throws {
    let result = try convert([folder.file("01.md"), "--set", "count=4"])
    #expect(result.status == 0, "\(result)")
    let cells = try cells(folder.file("01.ipynb"))
    #expect(cells.map(\.kind) == ["markdown", "code", "code"])
    #expect(cells[0].text == "# A lesson\n\nSo many: **3**. Next: [02](02.ipynb).")
    #expect(cells[1].text == "let count = 4.0")
    #expect(cells[2].text == "%%c\nint f(void) { return 1; }")
  }

  @Test func aFolderTakesSeveralAndAFileOne() throws {
    let both = [folder.file("01.md"), folder.file("02.md")]
    let result = try convert(both + ["-o", folder.file("lessons/")])
    #expect(result.status == 0, "\(result)")
    #expect(try cells(folder.file("lessons/02.ipynb")).map(\.text) == ["# Another", "1"])
    #expect(try convert(both + ["-o", folder.file("one.ipynb")]).status == 64)
    #expect(!FileManager.default.fileExists(atPath: folder.file("one.ipynb")))
    let page = try convert([both[0], "-o", folder.file("page.html")])
    #expect(page.status == 0, "\(page)")
    let html = try String(contentsOfFile: folder.file("page.html"), encoding: .utf8)
    #expect(html.contains("href=\"02.html\"") && html.contains("not run"))
  }

  @Test func whatIsWrongIsToldBeforeAnythingIsWritten() throws {
    try folder.write("```swift\n", to: "bad.md")
    let result = try convert([folder.file("01.md"), folder.file("bad.md")])
    #expect(result.status != 0 && result.err.contains("bad.md:1"), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("01.ipynb")))
    let knob = try convert([folder.file("01.md"), "--set", "count=many"])
    #expect(knob.status == 64 && knob.err.contains("count = 3.0"), "\(knob)")
  }
}

import Foundation
import Testing
import TritDrawing
import TritNotebook
import _TritTestSupport

/// The rules of nbformat 4.5 (`nbformat.v4.5.schema.json`), read with Foundation's JSON.
@Suite struct IPYNBWriterTests {
  private func cells(_ text: String) throws -> [[String: Any]] {
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(Set(root.keys) == ["cells", "metadata", "nbformat", "nbformat_minor"])
    #expect(root["nbformat"] as? Int == 4)
    #expect(root["nbformat_minor"] as? Int == 5)
    let metadata = try #require(root["metadata"] as? [String: Any])
    let kernel = try #require(metadata["kernelspec"] as? [String: Any])
    #expect(kernel["name"] as? String == "trit")
    return try #require(root["cells"] as? [[String: Any]])
  }

  @Test(arguments: [true, false]) func everyCellHasWhatTheSchemaAsks(_ withOutputs: Bool) throws {
    let text = IPYNBWriter.text(SampleNotebook.notebook(), withOutputs: withOutputs)
    let cells = try cells(text)
    var ids: Set<String> = []
    for cell in cells {
      let id = try #require(cell["id"] as? String)
      #expect(id.wholeMatch(of: /[a-zA-Z0-9_-]{1,64}/) != nil)
      #expect(ids.insert(id).inserted, "\(id) is there twice")
      let isCode = cell["cell_type"] as? String == "code"
      let keys: Set<String> = ["id", "cell_type", "metadata", "source"]
      #expect(Set(cell.keys) == (isCode ? keys.union(["outputs", "execution_count"]) : keys))
      let lines = try #require(cell["source"] as? [String])
      #expect(lines.dropLast().allSatisfy { $0.hasSuffix("\n") && $0.count { $0 == "\n" } == 1 })
      guard isCode else { continue }
      #expect(cell["execution_count"] is NSNull || cell["execution_count"] is Int)
      for output in try #require(cell["outputs"] as? [[String: Any]]) {
        let expected: Set<String> =
          switch output["output_type"] as? String {
          case "stream": ["output_type", "name", "text"]
          case "display_data": ["output_type", "data", "metadata"]
          case "execute_result": ["output_type", "data", "metadata", "execution_count"]
          case "error": ["output_type", "ename", "evalue", "traceback"]
          default: []
          }
        #expect(Set(output.keys) == expected)
      }
      if !withOutputs {
        #expect((cell["outputs"] as? [Any])?.isEmpty == true)
        #expect(cell["execution_count"] is NSNull)
      }
    }
    #expect(text == IPYNBWriter.text(SampleNotebook.notebook(), withOutputs: withOutputs))
  }

  @Test func formIsThatOfTheLibrary() {
    // What nbformat 5.10 (PyPI) writes for the same notebook.
    let notebook = ExecutedNotebook(
      path: "a.md", title: "é", pieces: [SampleNotebook.cell(.c, "a\nb", 1, options: [.raises])])
    #expect(
      IPYNBWriter.text(notebook) == """
        {
         "cells": [
          {
           "cell_type": "code",
           "execution_count": 1,
           "id": "c01",
           "metadata": {
            "tags": [
             "raises-exception"
            ]
           },
           "outputs": [],
           "source": [
            "%%c\\n",
            "a\\n",
            "b"
           ]
          }
         ],
         "metadata": {
          "kernelspec": {
           "display_name": "TritLab (Swift)",
           "language": "swift",
           "name": "trit"
          },
          "language_info": {
           "file_extension": ".swift",
           "mimetype": "text/x-swift",
           "name": "swift"
          },
          "title": "é"
         },
         "nbformat": 4,
         "nbformat_minor": 5
        }

        """)
  }

  /// A cell of Markdown is HTML by itself: what is folded over several cells is folded in each.
  @Test func foldsLinksAndImagesStandByThemselves() throws {
    let folder = try TemporaryFolder("ipynb")
    try SampleNotebook.gnuplot.write(
      toFile: folder.file("a.svg"), atomically: true, encoding: .utf8)
    try "# No cells".write(toFile: folder.file("README.md"), atomically: true, encoding: .utf8)
    let notebook = ExecutedNotebook(
      path: folder.file("n.md"), title: "t",
      pieces: [
        .prose(
          "See [03](03-x.md#part), [all](README.md), `[c](d.md)`.\n\n![A figure](a.svg)\n\n"
            + "<details><summary>Solution</summary>"),
        SampleNotebook.cell(.swift, "1", 1, options: [.solution]),
        .prose("Because.\n\n</details>\n\n<details><summary>More</summary>\n\nFirst."),
        SampleNotebook.cell(.swift, "2", 2), .prose("</details>"),
      ])
    let cells = try cells(IPYNBWriter.text(notebook, withOutputs: false))
    let texts = cells.map { (($0["source"] as? [String]) ?? []).joined() }
    #expect(texts.count == 4)
    #expect(
      texts[0].hasPrefix(
        "See [03](03-x.ipynb#part), [all](README.md), `[c](d.md)`.\n\n![A figure](data:image/svg+xml;base64,"
      ))
    #expect(texts[0].hasSuffix("\n\n*Solution*"))
    #expect(
      texts[2]
        == "<details><summary>Solution, continued</summary>\n\nBecause.\n\n</details>\n\n"
        + "<details><summary>More</summary>\n\nFirst.\n\n</details>")
    #expect(texts[3] == "2")
  }

  /// Each of these took minutes, or ended the program, where a step looked at the rest of the text
  /// for every piece: found by the fuzzer.
  @Test(arguments: [
    "![", "[a](", "](02.md", "``", "</details><details><summary>", "<details><summary>a</summary>",
    "x<!--= y -->", "<!--=", "[a]: 02.md ",
  ])
  func proseOfAnyShapeIsWritten(_ piece: String) throws {
    let text = "w " + String(repeating: piece, count: 5000)
    let unrun = ExecutedNotebook(unrun: try Notebook(text: text, path: "none/n.md"))
    #expect(try cells(IPYNBWriter.text(unrun, withOutputs: false)).count == 1)
    #expect(Markup(NotebookPage().write(unrun).html).problem == nil)
  }

  /// Jupyter stops at a cell that fails: one that needs a large model may.
  @Test func cellsForALargeModelDoNotEndARunOfAllCells() throws {
    let notebook = ExecutedNotebook(
      path: "a.md", title: "t",
      pieces: [SampleNotebook.cell(.swift, "model(largeModel)", 1, options: [.large])])
    let cells = try cells(IPYNBWriter.text(notebook, withOutputs: false))
    let metadata = try #require(cells[0]["metadata"] as? [String: Any])
    #expect(metadata["tags"] as? [String] == ["large", "raises-exception"])
  }

  @Test func wordsOfInlineValuesDoNotReachIntoOthers() throws {
    let notebook = try Notebook(text: "a x<!--= p -->y<!--= q --> <!--= r -->", path: "n.md")
    guard case .prose(let text)? = ExecutedNotebook(unrun: notebook).pieces.first else {
      return #expect(Bool(false))
    }
    #expect(text == "a xy <!--= r -->")
  }

  @Test func outputsKeepEveryFormAndUpdatesTheirPlace() throws {
    let data = DisplayData(
      plain: "a\n", [.svg: "<svg/>", .json: "{\"b\": [1]}", .markdown: "\u{202E}\0"])
    let failure = SampleNotebook.failure
    let cells = try cells(
      IPYNBWriter.text(
        ExecutedNotebook(
          path: "a.md", title: "t",
          pieces: [
            SampleNotebook.cell(
              .experiment, "x: 1", 1,
              [
                .display(DisplayData(plain: "old"), id: "d"), .stream(.stdout, "a"),
                .stream(.stdout, "b\n"), .update(data, id: "d"), .failure(failure),
              ], options: [.folded])
          ])))
    #expect(cells[0]["source"] as? [String] == ["%%experiment\n", "x: 1"])
    let metadata = try #require(cells[0]["metadata"] as? [String: Any])
    #expect(metadata["tags"] as? [String] == ["hide-input"])
    #expect(metadata["jupyter"] as? [String: Bool] == ["source_hidden": true])
    let outputs = try #require(cells[0]["outputs"] as? [[String: Any]])
    #expect(outputs.count == 3)
    let bundle = try #require(outputs[0]["data"] as? [String: Any])
    #expect(bundle["text/plain"] as? [String] == ["a\n"])
    #expect(bundle["image/svg+xml"] as? [String] == ["<svg/>"])
    #expect(bundle["text/markdown"] as? [String] == ["\u{202E}\0"])
    #expect((bundle["application/json"] as? [String: [Int]])?["b"] == [1])
    #expect(outputs[1]["text"] as? [String] == ["ab\n"])
    #expect(outputs[2]["ename"] as? String == "LabError")
    #expect(outputs[2]["evalue"] as? String == failure.message)
    #expect((outputs[2]["traceback"] as? [String])?.first == failure.place)
  }
}

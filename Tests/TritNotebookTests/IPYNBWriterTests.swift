import Foundation
import Testing
import TritDrawing
import TritNotebook

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
    #expect((cells[0]["metadata"] as? [String: [String]])?["tags"] == ["hide-input"])
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

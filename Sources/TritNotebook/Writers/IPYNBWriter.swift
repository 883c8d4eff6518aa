internal import TritLab
internal import TritCore
internal import TritDrawing

/// Writes a notebook as Jupyter's file, nbformat 4.5.
///
/// The form is that of nbformat itself (UTF-8, indented by one blank, keys sorted, a newline at the
/// end; texts as lists of lines), so that differences between versions are lines of the text. Cells
/// of C and of experiments begin with `%%c` and `%%experiment`, as the kernel reads them.
public enum IPYNBWriter {
  /// The file's text, with what cells gave or without it.
  public static func text(_ notebook: ExecutedNotebook, withOutputs: Bool = true) -> String {
    var ids = CellIDs()
    var settled = SettledOutputs(of: notebook)
    var prose = IPYNBProse(
      notebook: notebook.path, figures: withOutputs ? NotebookPage.figures(of: notebook) : [])
    for case .cell(let cell) in notebook.pieces { ids.reserve(cell.cell.id) }
    let cells = notebook.pieces.compactMap { piece -> JSONValue? in
      switch piece {
      case .prose(let text):
        let text = prose.next(text)
        guard !text.isEmpty else { return nil }
        return object([
          "cell_type": .string("markdown"), "id": .string(ids.next(prefix: "text")),
          "metadata": object([:]), "source": lines(text),
        ])
      case .cell(let cell):
        return self.cell(cell, settled.next(), ids: &ids, withOutputs: withOutputs)
      }
    }
    let root = object([
      "cells": .array(cells),
      "metadata": object([
        "kernelspec": object([
          "display_name": .string("TritLab (Swift)"), "language": .string("swift"),
          "name": .string("trit"),
        ]),
        "language_info": object([
          "file_extension": .string(".swift"), "mimetype": .string("text/x-swift"),
          "name": .string("swift"),
        ]),
        "title": .string(notebook.title),
      ]),
      "nbformat": .number("4"), "nbformat_minor": .number("5"),
    ])
    return indentedByOne(JSONWriter.text(root, pretty: true)) + "\n"
  }

  // MARK: Cells

  private static func cell(
    _ run: ExecutedCell, _ given: [CellOutput], ids: inout CellIDs, withOutputs: Bool
  ) -> JSONValue {
    let number = withOutputs ? run.number.map { JSONValue.number("\($0)") } ?? .null : .null
    var tags: [String] = []
    for option in CellOption.allCases where run.cell.options.contains(option) {
      tags.append(tag(option))
    }
    // Without a large model such a cell fails and says so; those after it run all the same.
    if run.cell.options.contains(.large), !run.cell.options.contains(.raises) {
      tags.append(tag(.raises))
    }
    var metadata: [String: JSONValue] = [:]
    if !tags.isEmpty { metadata["tags"] = .array(tags.sorted().map { .string($0) }) }
    // What is folded on a page is folded in JupyterLab.
    let isSolution = run.cell.options.contains(.solution)
    if isSolution || run.cell.options.contains(.folded) {
      var hidden: [String: JSONValue] = ["source_hidden": .bool(true)]
      if isSolution, withOutputs { hidden["outputs_hidden"] = .bool(true) }
      metadata["jupyter"] = object(hidden)
    }
    return object([
      "cell_type": .string("code"), "id": .string(ids.take(run.cell.id)),
      "metadata": object(metadata),
      "source": lines(source(of: run.cell)), "execution_count": number,
      "outputs": .array(withOutputs ? outputs(given, of: run) : []),
    ])
  }

  /// The text of a cell as the kernel takes it: its language in the first line, where it is not
  /// Swift.
  static func source(of cell: NotebookCell) -> String {
    switch cell.language {
    case .swift: cell.text
    case .c: "%%c\n" + cell.text
    case .experiment: "%%experiment\n" + cell.text
    }
  }

  /// The tags that Jupyter's tools know, and the lab's own.
  private static func tag(_ option: CellOption) -> String {
    switch option {
    case .raises: "raises-exception"
    case .folded: "hide-input"
    case .noRun: "skip-execution"
    case .solution: "solution"
    case .large: "large"
    case .parameters: "parameters"
    }
  }

  // MARK: Outputs

  private static func outputs(_ given: [CellOutput], of run: ExecutedCell) -> [JSONValue] {
    given.map { output in
      switch output {
      case .stream(let stream, let text):
        object([
          "output_type": .string("stream"), "name": .string(stream.rawValue), "text": lines(text),
        ])
      case .display(let data, _), .update(let data, _):
        object([
          "output_type": .string("display_data"), "data": bundle(data), "metadata": object([:]),
        ])
      case .result(let data):
        object([
          "output_type": .string("execute_result"), "data": bundle(data), "metadata": object([:]),
          "execution_count": run.number.map { .number("\($0)") } ?? .null,
        ])
      case .failure(let failure):
        object([
          "output_type": .string("error"), "ename": .string(failure.name),
          "evalue": .string(failure.message),
          "traceback": .array(traceback(failure).map { .string($0) }),
        ])
      }
    }
  }

  private static func traceback(_ failure: CellFailure) -> [String] {
    let place = failure.place.map { failure.message.contains($0) ? [] : [$0] } ?? []
    return place
      + "\(failure.name): \(failure.message)"
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private static func bundle(_ data: DisplayData) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for (type, text) in data.types {
      // Types of JSON hold values; a text that is none stays a text.
      let isJSON = type == "application/json" || type.hasSuffix("+json")
      if isJSON, let value = try? JSONReader.read(text) {
        members[type] = value
      } else {
        members[type] = lines(text)
      }
    }
    return object(members)
  }

  // MARK: JSON

  private static func object(_ members: [String: JSONValue]) -> JSONValue {
    .object(members.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) })
  }

  /// The text as a list of lines, each but the last with its newline.
  static func lines(_ text: String) -> JSONValue {
    var lines: [JSONValue] = []
    var line: [UInt8] = []
    for byte in text.utf8 {
      line.append(byte)
      if byte == .newline {
        lines.append(.string(String(decoding: line, as: UTF8.self)))
        line.removeAll(keepingCapacity: true)
      }
    }
    if !line.isEmpty { lines.append(.string(String(decoding: line, as: UTF8.self))) }
    return .array(lines)
  }

  /// Half the blanks at the beginning of each line. Strings hold no newline, so all of them indent.
  private static func indentedByOne(_ text: String) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    var isStart = true
    var blanks = 0
    for byte in text.utf8 {
      if isStart, byte == .blank {
        blanks += 1
        continue
      }
      if isStart {
        result += [UInt8](repeating: .blank, count: blanks / 2)
        blanks = 0
        isStart = false
      }
      result.append(byte)
      if byte == .newline { isStart = true }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

/// Names of cells as nbformat wants them: letters, digits, `-` and `_`, 1 to 64, each once.
struct CellIDs {
  private var reserved: Set<String> = []
  private var taken: Set<String> = []
  private var count = 0

  /// Keeps a name for the cell that has it.
  mutating func reserve(_ id: String) { reserved.insert(Self.clean(id)) }

  /// The name of a cell: its own, with what is not allowed left out and a number where it is not
  /// free.
  mutating func take(_ id: String) -> String {
    let base = Self.clean(id)
    var name = base
    var number = 2
    while !taken.insert(name).inserted {
      name = "\(base.prefix(56))-\(number)"
      number += 1
    }
    return name
  }

  /// A name for what has none.
  mutating func next(prefix: String) -> String {
    while true {
      count += 1
      let name = prefix + (count < 10 ? "0" : "") + "\(count)"
      if !reserved.contains(name), taken.insert(name).inserted { return name }
    }
  }

  private static func clean(_ id: String) -> String {
    let name = String(
      decoding: id.utf8.filter { $0.isLetter || $0.isDigit || $0 == 0x2d || $0 == 0x5f }.prefix(64),
      as: UTF8.self)
    return name.isEmpty ? "cell" : name
  }
}

import Foundation
import TritCore
import TritExperiments

/// What is offered while a cell is written: names of cells, of the lab, flags of stages, files.
struct CellAssistance {
  let lab: Lab
  /// What cells have declared.
  let names: [String]

  /// What cells can call without ceremony.
  static let surface: [(name: String, about: String)] = [
    (
      "lab", "The stages of this notebook: `lab.kinds`, `lab.make(.kernel, StageChoice(\"i2_s\"))`."
    ),
    ("display", "`display(value)` shows a value now; `.update(value)` replaces it."),
    (
      "model",
      "`model(\"builtin:storyteller\", [\"kernel\": \"i2_s\"])` loads a model as an `Engine`."
    ),
    ("checkpoint", "`checkpoint(\"builtin:tiny\")` opens a model's file: shapes and weights."),
    ("generate", "`generate(engine, \"Once\", tokens: 40)` continues a text."),
    ("probe", "`probe(engine, \"text\") { $0.hasPrefix(\"blk.0\") }` gives intermediates by name."),
    (
      "race",
      "`race([\"reference\", \"i2_s\"], shape: WeightShape(1024, 2560))` times kernels in turn."
    ),
    (
      "check",
      "`check(kernel)` or `check(\"sampler\", \"greedy\")`: whether a stage keeps its laws."
    ),
    ("require", "`require(holds, \"claim\")` prints CHECK PASS, or fails the notebook."),
    ("add", "`add(MyKernel())` adds a stage to the lab of this notebook."),
    ("experiment", "`experiment(\"\"\"…\"\"\")` runs an experiment with this notebook's stages."),
    ("fixed", "`fixed(value, 2)` is a number with two digits behind the point."),
  ]

  func completions(of text: String, at offset: Int) -> CellCompletions {
    let before = String(String.UnicodeScalarView(text.unicodeScalars.prefix(offset)))
    if let quoted = Self.openString(before) {
      let matches = words(inString: quoted, before: before)
      let start = offset - quoted.unicodeScalars.count
      return CellCompletions(matches: matches, range: start..<offset)
    }
    let word = Self.word(before)
    let start = offset - word.unicodeScalars.count
    guard !word.isEmpty else { return CellCompletions(matches: [], range: offset..<offset) }
    let all = names.reversed() + Self.surface.map(\.name) + Self.types
    var seen: Set<String> = []
    let matches = all.filter { $0.hasPrefix(word) && seen.insert($0).inserted }
    return CellCompletions(matches: matches, range: start..<offset)
  }

  func inspection(of text: String, at offset: Int) -> String? {
    let scalars = Array(text.unicodeScalars)
    var (low, high) = (min(offset, scalars.count), min(offset, scalars.count))
    func isOfName(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        || ["_", "/", "-", "."].contains(scalar)
    }
    while low > 0, isOfName(scalars[low - 1]) { low -= 1 }
    while high < scalars.count, isOfName(scalars[high]) { high += 1 }
    let word = String(String.UnicodeScalarView(scalars[low..<high]))
    guard !word.isEmpty else { return nil }
    if let known = Self.surface.first(where: { $0.name == word }) {
      return "**\(word)**\n\n\(known.about)"
    }
    for kind in lab.kinds {
      guard let found = kind.descriptors.first(where: { $0.name == word }) else { continue }
      var text = "**\(kind.stage) `\(found.name)`**\n\n\(found.summary)\n\nSource: \(found.source)"
      for parameter in found.parameters {
        text += "\n- `\(parameter.name)`: \(parameter.summary) (\(parameter.domainText))"
      }
      return text
    }
    return names.contains(word) ? "**\(word)** is declared by a cell of this notebook." : nil
  }

  /// Types that cells write often.
  private static let types = [
    "StageChoice", "StageDescriptor", "StageKey", "WeightShape", "Matrix", "MatrixView",
    "TernaryMatrix",
    "QuantizedWeights", "QuantizedRows", "LabError", "Table", "Engine", "Checkpoint", "DotKernel",
    "LinearKernel", "WeightQuantizer", "ActivationQuantizer", "Perplexity", "SamplingOptions",
    "GenerationOptions", "Verdict", "KernelRace",
  ]

  private static func word(_ text: String) -> String {
    String(text.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }.reversed())
  }

  /// What stands after the last quote of the line, where a string is open there.
  private static func openString(_ before: String) -> String? {
    let line = before.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
    let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
    return parts.count.isMultiple(of: 2) ? String(parts[parts.count - 1]) : nil
  }

  /// Names of stages, parameters after a colon, models, and files.
  private func words(inString quoted: String, before: String) -> [String] {
    if let colon = quoted.firstIndex(of: ":"), !quoted.hasPrefix("builtin:") {
      let name = String(quoted[..<colon])
      let head = quoted[...colon]
      let typed =
        quoted.split(separator: ",", omittingEmptySubsequences: false).last.map(String.init) ?? ""
      let last =
        typed.contains(":")
        ? String(typed[typed.index(after: typed.firstIndex(of: ":") ?? typed.startIndex)...])
        : typed
      let parameters = lab.kinds.flatMap { $0.descriptors.filter { $0.name == name } }.flatMap(
        \.parameters)
      return Set(parameters.map(\.name)).sorted().filter { $0.hasPrefix(last) }
        .map { head + quoted.dropFirst(head.count).dropLast(last.count) + $0 + "=" }
    }
    let stages = Set(
      lab.kinds.flatMap { $0.descriptors.map(\.name) } + lab.kinds.map(\.key.rawValue))
    let models = [
      "builtin:storyteller", "builtin:tiny", "builtin:storyteller-fp", "builtin:tiny-fp",
    ]
    return (stages.sorted() + models + files(quoted)).filter { $0.hasPrefix(quoted) }
  }

  private func files(_ typed: String) -> [String] {
    guard typed.contains("/") || typed.contains(".") else { return [] }
    let folder = (typed as NSString).deletingLastPathComponent
    let names = (try? FolderListing(folder.isEmpty ? "." : folder).names) ?? []
    return names.sorted().prefix(200).map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
  }
}

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
    (
      "experimentOutcome",
      "`experimentOutcome(\"name\")` is what an experiment of this notebook came to: `.values(\"perplexity.value\")`, `.plot(\"quality-vs-bits\")`."
    ),
    ("fixed", "`fixed(value, 2)` is a number with two digits behind the point."),
  ]

  /// What can stand in a cell of Swift. `ofSwift` gives what Swift itself knows there, for the word
  /// that stands before the place; members are its business alone.
  func completions(
    of text: String, at offset: Int, ofSwift: (String) -> [SwiftAssistant.Word]
  ) -> CellCompletions {
    let before = Self.before(offset, of: text)
    if let quoted = Self.openString(before) {
      let matches = words(inString: quoted, before: before)
      let start = offset - quoted.unicodeScalars.count
      return CellCompletions(matches: matches, range: start..<offset)
    }
    let word = Self.word(before)
    let start = offset - word.unicodeScalars.count
    let isMember = before.dropLast(word.count).hasSuffix(".")
    // Everything there is would be no help.
    guard isMember || !word.isEmpty else {
      return CellCompletions(matches: [], range: offset..<offset)
    }
    let own = isMember ? [] : names.reversed() + Self.surface.map(\.name) + Self.types
    var seen: Set<String> = []
    var result = CellCompletions(
      matches: own.filter { $0.hasPrefix(word) && seen.insert($0).inserted }, range: start..<offset)
    for found in ofSwift(word) {
      result.details[found.name] = .init(kind: found.kind, signature: found.signature)
      if seen.insert(found.name).inserted { result.matches.append(found.name) }
    }
    return result
  }

  /// What can stand in a cell of C; `ofC` gives what the compiler knows where the word begins.
  static func completionsOfC(
    of text: String, at offset: Int, ofC: (Int) -> [CellCompiler.WordOfC]
  ) -> CellCompletions {
    let word = word(before(offset, of: text))
    let start = offset - word.unicodeScalars.count
    var result = CellCompletions(matches: [], range: start..<offset)
    var seen: Set<String> = []
    for found in ofC(start)
    where found.name.hasPrefix(word) && seen.insert(found.name).inserted {
      // What is reserved, nobody has asked for: headers of vectors alone bring thousands.
      if found.name.hasPrefix("__"), !word.hasPrefix("__") { continue }
      guard result.matches.count < 300 else { break }
      result.matches.append(found.name)
      result.details[found.name] = .init(
        kind: found.signature.contains("(") ? "function" : "instance", signature: found.signature)
    }
    return result
  }

  /// What can stand in a cell of an experiment: keys and words, else models and files.
  func completionsOfExperiment(of text: String, at offset: Int) -> CellCompletions {
    let before = Self.before(offset, of: text)
    var (matches, replaced) = ExperimentAssistance(lab: lab).completions(of: before)
    let place = ExperimentAssistance.place(before)
    if !place.isKey, matches.isEmpty {
      matches = (Self.models + files(place.word)).filter { $0.hasPrefix(place.word) }
      replaced = place.word.unicodeScalars.count
    }
    return CellCompletions(matches: matches, range: (offset - replaced)..<offset)
  }

  func inspectionOfExperiment(of text: String, at offset: Int) -> String? {
    let word = Self.wordAround(offset, of: text, also: ["_", "/", "-", "."])
    guard !word.text.isEmpty else { return nil }
    let before = Self.before(word.start, of: text)
    return ExperimentAssistance(lab: lab).inspection(of: word.text, before: before)
      ?? stageInspection(word.text)
  }

  static func inspectionOfC(
    of text: String, at offset: Int, ofC: (Int) -> [CellCompiler.WordOfC]
  ) -> String? {
    let word = wordAround(offset, of: text, also: ["_"])
    guard !word.text.isEmpty, let found = ofC(word.start).first(where: { $0.name == word.text })
    else { return nil }
    return "```c\n\(found.signature)\n```"
  }

  static func before(_ offset: Int, of text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(offset)))
  }

  /// The word that the place is in, or at an end of, and the scalars before it.
  private static func wordAround(
    _ offset: Int, of text: String, also others: Set<Unicode.Scalar>
  ) -> (text: String, start: Int) {
    let scalars = Array(text.unicodeScalars)
    var (low, high) = (min(offset, scalars.count), min(offset, scalars.count))
    func isOfName(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        || others.contains(scalar)
    }
    while low > 0, isOfName(scalars[low - 1]) { low -= 1 }
    while high < scalars.count, isOfName(scalars[high]) { high += 1 }
    return (String(String.UnicodeScalarView(scalars[low..<high])), low)
  }

  /// What is known of a word of a cell of Swift. `ofSwift` gives what Swift itself knows at a place.
  func inspection(of text: String, at offset: Int, ofSwift: (Int) -> String?) -> String? {
    let word = Self.wordAround(offset, of: text, also: ["_", "/", "-", "."]).text
    guard !word.isEmpty else { return nil }
    // Stages are words within texts, of which Swift knows nothing.
    if Self.openString(Self.before(offset, of: text)) != nil, let stage = stageInspection(word) {
      return stage
    }
    let name = Self.wordAround(offset, of: text, also: ["_"])
    let isMember = Self.before(name.start, of: text).hasSuffix(".")
    let about = isMember ? nil : Self.surface.first { $0.name == name.text }?.about
    if !name.text.isEmpty, let declared = ofSwift(name.start) {
      return declared + (about.map { "\n\n\($0)" } ?? "")
    }
    if let about { return "**\(name.text)**\n\n\(about)" }
    if let stage = stageInspection(word) { return stage }
    return names.contains(name.text)
      ? "**\(name.text)** is declared by a cell of this notebook." : nil
  }

  private func stageInspection(_ word: String) -> String? {
    for kind in lab.kinds {
      guard let found = kind.descriptors.first(where: { $0.name == word }) else { continue }
      var text = "**\(kind.stage) `\(found.name)`**\n\n\(found.summary)\n\nSource: \(found.source)"
      for parameter in found.parameters {
        text += "\n- `\(parameter.name)`: \(parameter.summary) (\(parameter.domainText))"
      }
      return text
    }
    return nil
  }

  private static let models = [
    "builtin:storyteller", "builtin:tiny", "builtin:storyteller-fp", "builtin:tiny-fp",
  ]

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
    return (stages.sorted() + Self.models + files(quoted)).filter { $0.hasPrefix(quoted) }
  }

  private func files(_ typed: String) -> [String] {
    guard typed.contains("/") || typed.contains(".") else { return [] }
    let folder = (typed as NSString).deletingLastPathComponent
    let names = (try? FolderListing(folder.isEmpty ? "." : folder).names) ?? []
    return names.sorted().prefix(200).map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
  }
}

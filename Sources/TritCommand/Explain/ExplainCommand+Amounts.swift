import Foundation
import TritLab

/// Distributions and sizes: what bars are drawn of.
extension ExplainCommand {
  static let standardChain = "temperature:value=0.8; top-k:k=8; top-p:p=0.9; min-p:p=0.1"

  static func sampling(_ arguments: ParsedArguments) throws -> Explanation {
    let count = try shape(arguments, columns: 12, most: (64, 64)).columns
    var random = try random(arguments)
    let chain = given(arguments) ?? standardChain
    var stages = try SamplerChain.stages(parsing: chain)
    let lab = arguments.lab
    // A sampler at the end draws and changes nothing.
    if let last = stages.last, lab[.sampler].descriptor(last.name) != nil { stages.removeLast() }
    let known = lab[.processor].names + lab[.sampler].names
    for stage in stages where lab[.processor].descriptor(stage.name) == nil {
      throw LabError(
        .usage, "unknown stage '\(stage.name)' of the sampling chain",
        expected: lab[.processor].names.joined(separator: ", "), got: stage.name,
        advice: Suggestion.didYouMean(stage.name, known)
          ?? "'trit list processor' shows what each does", code: .unknownName)
    }
    let logits = (0..<count).map { rank in
      Float(((3 - 0.5 * Double(rank) + 0.8 * random.uniform()) * 100).rounded() / 100)
    }
    var candidates = logits.enumerated().map {
      Candidate(token: Int32($0.offset), logit: $0.element)
    }
    let history = TokenHistory()
    var parts: [Sheet.Part] = []
    var facts: [JSONValue] = []
    func show(_ title: String) {
      let shares = probabilities(candidates)
      let entropy = shares.values.reduce(0) { $0 - ($1 > 0 ? $1 * log2($1) : 0) }
      let rows = (0..<count).map { token -> Bars.Row in
        let share = shares[Int32(token)]
        let note = share.map { String(format: "%.1f %%", 100 * $0) } ?? "left out"
        return Bars.Row("token \(token)", share ?? 0, note: note, isFaint: share == nil)
      }
      let left =
        "\(candidates.count) \(candidates.count == 1 ? "token" : "tokens"), "
        + String(format: "entropy %.2f bits", max(entropy, 0))
      parts.append(.drawing(Bars(title, summary: left, rows, maximum: 1)))
      facts.append([
        "stage": .string(title), "kept": JSONValue(candidates.count),
        "entropy_bits": JSONValue(max(entropy, 0)),
        "probabilities": .array((0..<count).map { JSONValue(shares[Int32($0)] ?? 0) }),
      ])
    }
    show("the model's logits")
    for stage in stages {
      var processor = try lab.make(.processor, stage)
      processor.process(&candidates, history: history)
      show("after \(stage.description)")
    }
    let sheet = Sheet(
      "Choosing the next token", "The same distribution after each stage of a chain.", parts)
    return Explanation(
      drawing: sheet, name: chain,
      facts: [("logits", .array(logits.map { JSONValue($0) })), ("stages", .array(facts))])
  }

  /// The softmax of what is left, by token.
  private static func probabilities(_ candidates: [Candidate]) -> [Int32: Double] {
    let top = Double(candidates.map(\.logit).max() ?? 0)
    let weights = candidates.map { exp(Double($0.logit) - top) }
    let total = weights.reduce(0, +)
    return Dictionary(
      zip(candidates.map(\.token), weights.map { total > 0 ? $0 / total : 0 }),
      uniquingKeysWith: { first, _ in first })
  }

  static func format(_ arguments: ParsedArguments) throws -> Explanation {
    let (rows, columns) = try shape(
      arguments, rows: 2560, columns: 2560, most: (1 << 20, 1 << 20))
    let wanted = given(arguments)
    let registry = arguments.lab[.packing]
    if let wanted { _ = try arguments.lab.make(.packing, StageChoice(parsing: wanted)) }
    let weights = Double(rows) * Double(columns)
    var formats: [(name: String, bits: Double)] = [("float32", 32), ("bfloat16", 16)]
    var refused: [String] = []
    for descriptor in registry.descriptors where descriptor.unavailable == nil {
      if let wanted, try StageChoice(parsing: wanted).name != descriptor.name,
        !descriptor.aliases.contains(wanted)
      {
        continue
      }
      let choice = try wanted.map { try StageChoice(parsing: $0) } ?? StageChoice(descriptor.name)
      let packing = try arguments.lab.make(.packing, choice)
      do {
        try packing.check(rows: rows, columns: columns, granularity: .tensor)
        let bytes = packing.byteCount(rows: rows, columns: columns)
        formats.append((descriptor.name, 8 * Double(bytes) / weights))
      } catch {
        if wanted != nil { throw error }
        refused.append(descriptor.name)
      }
    }
    formats.append(("log2 3", log2(3)))
    formats.sort { $0.bits > $1.bits }
    let bars = Bars(
      "Bits a weight of \(rows) × \(columns) ternary weights",
      summary: "To scale. log2 3 is what a trit can be packed to at best, if all three values are "
        + "as likely."
        + (refused.isEmpty ? "" : " Not of this shape: \(refused.joined(separator: ", "))."),
      formats.map { format in
        let size = format.bits * weights / 8
        let note = String(format: "%.3g bits, ", format.bits) + bytes(size)
        return Bars.Row(
          format.name, format.bits, note: note, isFaint: format.name == "log2 3")
      })
    return Explanation(
      drawing: bars, name: wanted,
      facts: [
        ("rows", JSONValue(rows)), ("columns", JSONValue(columns)),
        (
          "formats",
          .array(
            formats.map {
              ["name": .string($0.name), "bits_per_weight": JSONValue($0.bits)]
            })
        ),
      ])
  }

  private static func bytes(_ count: Double) -> String {
    switch count {
    case ..<1e4: String(format: "%.0f B", count)
    case ..<1e7: String(format: "%.1f kB", count / 1e3)
    default: String(format: "%.1f MB", count / 1e6)
    }
  }
}

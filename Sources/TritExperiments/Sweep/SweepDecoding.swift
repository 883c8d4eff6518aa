internal import TritCore

extension ExperimentDecoder {
  /// Keys of `sweep:` that are no axes.
  static let sweepWords = ["design", "random"]

  /// The axes of `sweep:` and the design, which stands beside them or at the top of the file.
  func sweep(_ fields: Fields, seed: UInt64) -> (axes: [SweepAxis], design: SweepDesign) {
    var design: (value: SweepDesign, path: String)?
    if let node = fields["design"] { design = self.design(node, "design").map { ($0, "design") } }
    guard let node = fields["sweep"] else {
      if let node = fields["design"] {
        problems.add(
          "there is nothing to design", "design", at: node.position, expected: "a 'sweep' beside it"
        )
      }
      return ([], .full)
    }
    let keys = settingKeys
    guard
      let inner = Fields(
        node, "sweep", keys: keys + Self.sweepWords, nullIsEmpty: false, problems)
    else { return ([], .full) }
    if let node = inner["design"], let value = self.design(node, "sweep.design") {
      if let design {
        problems.add(
          "the design is given twice", "sweep.design", at: node.position,
          expected: "one of: \(design.path), sweep.design")
      }
      design = (value, "sweep.design")
    }
    if let node = inner["random"], let value = random(node, seed: seed) {
      if case .oneFactorAtATime? = design?.value {
        problems.add(
          "does not go with a design of one factor at a time", "sweep.random", at: node.position,
          expected: "points of the full product to draw from",
          advice: "drop '\(design?.path ?? "")', or drop 'sweep.random'")
      }
      design = (value, "sweep.random")
    }
    let values = SweepValues(lab: stages.lab, problems: problems, seed: seed)
    let axes = (node.entries ?? []).compactMap { entry -> SweepAxis? in
      guard keys.contains(entry.key) else { return nil }
      let path = inner.keyPath(entry.key)
      guard let list = values.axis(entry.value, path, key: entry.key) else { return nil }
      let settings = list.enumerated().map { index, value in
        var one = VariantSettings()
        one.positions[entry.key] = value.position
        set(entry.key, value, "\(path)[\(index)]", in: &one)
        return one
      }
      return SweepAxis(key: entry.key, values: settings)
    }
    return (axes, design?.value ?? .full)
  }

  private func design(_ node: YAMLNode, _ path: String) -> SweepDesign? {
    problems.word(node, path, SweepDesign.words.map(\.name)).flatMap { SweepDesign(word: $0) }
  }

  /// `random: N`, or `{count: N, seed: S}`.
  private func random(_ node: YAMLNode, seed: UInt64) -> SweepDesign? {
    let range = 1...ExperimentPlan.maximumVariants
    guard node.entries != nil else {
      return problems.integer(node, "sweep.random", range).map { .random(count: $0, seed: seed) }
    }
    guard let fields = Fields(node, "sweep.random", keys: ["count", "seed"], problems) else {
      return nil
    }
    if fields["count"] == nil { fields.missing("count", expected: "how many to draw") }
    guard let count = fields.integer("count", range) else { return nil }
    let own = fields.integer("seed", Self.seedRange).map { UInt64($0) }
    return .random(count: count, seed: own ?? seed)
  }
}

internal import Foundation
internal import TritEvaluation

extension Report {
  /// Figures whose spread across seeds is told: the metric, its title, its error by the text.
  static let seeded: [(key: String, title: String, error: String)] = [
    ("perplexity.value", "Perplexity", "perplexity.error"),
    ("divergence.kld.mean", "KL divergence", "divergence.kld.error"),
    ("tasks.accuracy", "Tasks right", "tasks.accuracy_error"),
  ]

  /// Variants that differ in nothing but a seed, in their order: groups of at least two.
  var seedGroups: [[RunRecord]] {
    var keys: [[String: String]] = []
    var groups: [[RunRecord]] = []
    for record in variants where record.status == .finished {
      guard let key = Self.withoutSeed(record) else { continue }
      if let place = keys.firstIndex(of: key) {
        groups[place].append(record)
      } else {
        keys.append(key)
        groups.append([record])
      }
    }
    return groups.flatMap(Self.ofOneTraining).filter { $0.count > 1 }
  }

  /// A group as it is where each of its variants has a seed of its own. Where seeds come twice,
  /// something else differs, as the rate of two trainings of the same length: then what models are
  /// called without their seed tells them apart (`a-1`, `a-2` and `b-1`, `b-2`), and what cannot be
  /// told apart so is no group.
  private static func ofOneTraining(_ group: [RunRecord]) -> [[RunRecord]] {
    func isSound(_ group: [RunRecord]) -> Bool {
      Set(group.compactMap { seed($0) }).count == group.count
    }
    if isSound(group) { return [group] }
    var order: [String] = []
    var parts: [String: [RunRecord]] = [:]
    for record in group {
      var name = record.params["model"] ?? ""
      if let seed = record.metrics["model.training_seed"] {
        name = name.replacingOccurrences(of: Figures.fixed(seed, 0), with: "")
      }
      if parts[name] == nil { order.append(name) }
      parts[name, default: []].append(record)
    }
    return order.compactMap { parts[$0] }.filter(isSound)
  }

  /// The seed of a variant: that of its training where the model tells it and models differ, else
  /// of its run.
  private static func seed(_ record: RunRecord) -> String? {
    let training = record.metrics["model.training_seed"].map { "\($0)" } ?? ""
    return "\(training) \(record.params["seed"] ?? "")"
  }

  /// What the variants of a group are called together: what else is varied, else the first of them
  /// and how many more there are.
  func seedLabel(_ group: [RunRecord]) -> String {
    let axes = VariantAxes(self)
    let isSeed = axes.axes.indices.filter { index in
      ["seed", "training-seed"].contains(axes.axes[index].key)
        || axes.axes[index].key == "model"
          && group.contains { $0.metrics["model.training_seed"] != nil }
    }
    let own = "\(group[0].label) and \(group.count - 1) more"
    guard !isSeed.isEmpty, isSeed.count < axes.axes.count else { return own }
    return axes.label(group[0], without: Set(isSeed))
  }

  /// Everything that a variant chose but seeds. Of a model whose training seed is known, what it is
  /// beside the seed stands for its name.
  private static func withoutSeed(_ record: RunRecord) -> [String: String]? {
    var key = record.params
    key["seed"] = nil
    key["training-seed"] = nil
    guard record.metrics["model.training_seed"] != nil else { return key }
    key["model"] = nil
    for metric in ["parameters", "training_tokens", "training_steps"] {
      key["model.\(metric)"] = record.metrics["model.\(metric)"].map { "\($0)" }
    }
    return key
  }

  /// Means over seeds, their spread, and the error of the text beside it; empty where nothing was
  /// run with several.
  var seedTable: [[String]] {
    let groups = seedGroups
    let rows = groups.flatMap { group in
      Self.seeded.compactMap { figure -> [String]? in
        let values = group.compactMap { PlotData.finite($0.metrics[figure.key]) }
        guard values.count > 1, let statistics = SampleStatistics(values) else { return nil }
        let errors = group.compactMap { Self.error($0, figure.error) }
        let text = errors.isEmpty ? nil : errors.reduce(0, +) / Double(errors.count)
        return [
          seedLabel(group), figure.title, "\(values.count)",
          Figures.plain(statistics.mean), Figures.twoDigits(statistics.standardDeviation),
          Figures.plain(statistics.minimum) + " … " + Figures.plain(statistics.maximum),
          text.map(Figures.twoDigits) ?? "–",
        ]
      }
    }
    guard !rows.isEmpty else { return [] }
    return [
      [
        "Variants", "Of", "Seeds", "Mean", "Spread (SD)", "Least … most", "Error of the text",
      ]
    ] + rows
  }

  /// What `seedTable` means.
  static let seedNote =
    "The spread is how much a figure changes from seed to seed on the same text (standard deviation, n − 1): it "
    + "belongs to the training or the draw. The error of the text is how much it would change on another text. Neither "
    + "holds the other: a difference between two ways to train needs several seeds of each."
}

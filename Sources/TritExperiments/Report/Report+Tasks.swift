internal import TritEvaluation

extension Report {
  /// Accuracy by kind of question as rows of cells: a heading, the reference and the variants,
  /// guessing. Empty where no questions were asked.
  var taskTable: [[String]] {
    guard let kinds = taskKinds else { return [] }
    var table = [["Variant"] + kinds.labels + ["all"]]
    for record in rows {
      guard let series = record.series["tasks.kinds"], let labels = series.labels else { continue }
      var cells = [record.label]
      for kind in kinds.labels {
        let place = labels.firstIndex(of: kind)
        let value = place.flatMap { Self.value(series, "accuracy", $0) }
        cells.append(
          value.map { value in
            place.flatMap { Self.interval(series, value, $0) }.map { Figures.share(value, $0) }
              ?? Figures.share(value)
          } ?? "–")
      }
      let all = record.metrics["tasks.accuracy"].map { value in
        Self.interval(record, "tasks.accuracy").map { Figures.share(value, $0) }
          ?? Figures.share(value)
      }
      table.append(cells + [all ?? "–"])
    }
    let chance = kinds.chances.map { Figures.share($0) }
    let all = rows.compactMap { $0.metrics["tasks.chance"] }.first
    table.append(["guessing"] + chance + [all.map { Figures.share($0) } ?? "–"])
    return table
  }

  /// The kinds of questions that were asked, with the accuracy of guessing.
  var taskKinds: (labels: [String], chances: [Double])? {
    for record in rows {
      if let series = record.series["tasks.kinds"], let labels = series.labels {
        return (labels, labels.indices.map { Self.value(series, "chance", $0) ?? .nan })
      }
    }
    return nil
  }

  /// Where the accuracy `share` of a kind may lie: what the series says, else by the kind's count.
  static func interval(
    _ series: Series, _ share: Double, _ row: Int
  ) -> (lower: Double, upper: Double)? {
    if let lower = value(series, "lower", row), let upper = value(series, "upper", row) {
      return (lower, upper)
    }
    guard let count = value(series, "count", row),
      let interval = ShareInterval(share: share, of: count)
    else { return nil }
    return (interval.lower, interval.upper)
  }

  static func value(_ series: Series, _ column: String, _ row: Int) -> Double? {
    guard let values = series.columns[column], values.indices.contains(row) else { return nil }
    return values[row]
  }

  /// The floor of perplexity that all records share, and in nats a token; nil where the source of
  /// the text is unknown, or where tokenizers differ so that there is none for all.
  var floor: (perplexity: Double, nats: Double)? {
    let values = rows.compactMap { $0.metrics["perplexity.floor_nll"] }
    guard let first = values.first,
      let perplexity = rows.compactMap({ $0.metrics["perplexity.floor"] }).first,
      values.allSatisfy({ abs($0 - first) < 1e-9 })
    else { return nil }
    return (perplexity, first)
  }

  /// What the floor means, in words.
  var floorText: String? {
    let bits = Set(rows.compactMap { $0.metrics["perplexity.floor_bits_per_byte"] })
    if floor == nil, bits.count == 1, let bits = bits.first {
      return
        "The floor is \(Figures.fixed(bits, 4)) bits a byte: the loss that the source of the text "
        + "itself has on it, whatever the vocabulary. In nats a token it differs by vocabulary, and no "
        + "model is expected below it."
    }
    return floor.map { floor in
      "The floor is perplexity \(Figures.fixed(floor.perplexity, 3)), "
        + "\(Figures.fixed(floor.nats, 4)) nats a token: the text comes from a source whose every "
        + "random choice has a known probability, and this is the loss that the source itself has on "
        + "it, summed over all ways of telling the same text, over the tokens of this vocabulary. No "
        + "model is expected below it."
    }
  }
}

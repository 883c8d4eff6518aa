package import TritCore

/// A figure that others have published of a model, and how near to it is right: an entry of
/// `published:` of a variant.
public struct PublishedFigure: Sendable {
  /// The figure as records name it: `perplexity.value`, `tasks.arc_easy.acc`.
  public var metric: String
  /// What was published, in the unit of the figure (shares are 0…1).
  public var value: Double
  /// How far from it a measurement may lie, in the same unit.
  public var tolerance: Double
  /// Who published it, and where.
  public var source: String
  /// Windows from the first on that it is over, for `perplexity.value`; nil is all.
  public var windows: Int?
  /// Where it was written.
  public var position: SourcePosition

  /// The section of `measure` that tells it.
  var section: String { String(metric.prefix { $0 != "." }) }
  /// `perplexity.value`, or `perplexity.value of 62 windows`.
  public var title: String { metric + (windows.map { " of \($0) windows" } ?? "") }
}

/// What is not at hand and may be absent.
package struct AbsentInputs: Sendable {
  /// Variants whose models are not there, and what to get.
  package var variants: [(variant: PlannedVariant, reason: LabError)] = []
  /// Sections whose texts or questions are not there, and what to get.
  package var sections: [(key: String, reason: LabError)] = []
}

extension ExperimentDecoder {
  static let publishedRange = -1e12...1e12
  static let toleranceRange = 0...1e12
  /// More figures than papers print of one model.
  static let maximumPublished = 200

  /// The figures under `published:` of a variant.
  func published(_ node: YAMLNode, _ path: String) -> [PublishedFigure] {
    let example = "- {metric: perplexity.value, value: 17.11, tolerance: 0.2, source: \"…\"}"
    guard let list = node.elements else {
      problems.wrongType(node, path, expected: "a list of figures: \(example)")
      return []
    }
    guard list.count <= Self.maximumPublished else {
      problems.add(
        "too many figures", path, at: node.position, expected: "at most \(Self.maximumPublished)",
        got: "\(list.count)")
      return []
    }
    let keys = ["metric", "value", "tolerance", "source", "windows"]
    return list.enumerated().compactMap { index, item in
      guard let fields = Fields(item, "\(path)[\(index)]", keys: keys, expected: example, problems)
      else { return nil }
      for key in keys.dropLast() where fields[key] == nil {
        fields.missing(key, expected: example)
      }
      func number(_ key: String, _ range: ClosedRange<Double>) -> Double? {
        fields[key].flatMap { problems.real($0, fields.keyPath(key), range) }
      }
      guard let metric = fields.text("metric"), let value = number("value", Self.publishedRange),
        let tolerance = number("tolerance", Self.toleranceRange), let source = fields.text("source")
      else { return nil }
      let windows = fields.integer("windows", 1...PerplexityMeasure.windowLengths.upperBound)
      if let node = fields["windows"], metric != PublishedFigure.running {
        problems.add(
          "goes with \(PublishedFigure.running) alone", fields.keyPath("windows"),
          at: node.position, expected: "no windows beside \(metric)", advice: "drop it")
      }
      return PublishedFigure(
        metric: metric, value: value, tolerance: tolerance, source: source, windows: windows,
        position: fields["metric"]?.position ?? item.position)
    }
  }
}

extension PublishedFigure {
  /// The figure that can be told of some windows alone.
  static let running = "perplexity.value"
}

extension ExperimentPlan {
  /// A figure that no section tells could never pass.
  func checkPublished(_ problems: Problems) {
    guard file.records == nil else { return }
    let keys = file.measure.asked.sorted()
    for variant in all {
      for figure in variant.published where !keys.contains(figure.section) {
        problems.add(
          "nothing that is measured tells '\(figure.metric)'",
          "variant '\(variant.label)', published", at: figure.position,
          expected: "SECTION.FIGURE with a section of: \(keys.joined(separator: ", "))",
          got: figure.metric, advice: Suggestion.didYouMean(figure.section, keys))
      }
    }
  }

  /// The plan without what is not at hand, where the file allows that: a variant with published
  /// figures may lack its model, and where all variants are such, a section may lack its data.
  /// Everything else that is missing stays, to be told as a problem.
  func atHand(_ backend: any ExperimentBackend) -> ExperimentPlan {
    guard all.contains(where: { !$0.published.isEmpty }) else { return self }
    var plan = self
    func missing(_ look: () throws -> Void) -> LabError? {
      do {
        try look()
        return nil
      } catch let error as LabError where error.kind == .missingInput {
        return error
      } catch {
        return nil
      }
    }
    plan.variants = variants.filter { variant in
      guard !variant.published.isEmpty, let model = variant.settings.model ?? file.model,
        let reason = missing({ try backend.find(model: model) })
      else { return true }
      plan.absent.variants.append((variant, reason))
      return false
    }
    guard all.allSatisfy({ !$0.published.isEmpty }) else { return plan }
    plan.file.measure.sections.removeAll { section in
      let needs = section.measure.needs
      let reason = missing {
        if let (place, field) = needs.text { _ = try backend.identify(data: place, field: field) }
        if let (place, limit) = needs.questions {
          _ = try backend.identify(questions: place, limit: limit)
        }
        if let tasks = needs.tasks { _ = try backend.identify(tasks: tasks) }
      }
      guard let reason else { return false }
      plan.absent.sections.append((section.key, reason))
      return true
    }
    return plan
  }
}

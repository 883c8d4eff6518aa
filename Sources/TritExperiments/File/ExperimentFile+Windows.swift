internal import TritCore
internal import TritEvaluation

extension ExperimentFile {
  /// Asks for a part of the windows of every measure of a text: of as many as the file says, else
  /// of all. Throws a usage error where no measure has windows, or where the file asks for a part
  /// itself.
  mutating func share(_ part: WindowSelection) throws {
    var isShared = false
    for index in measure.sections.indices {
      let section = measure.sections[index]
      let fields = section.definition.fields.filter { field in
        if case .windows = field.form { true } else { false }
      }
      for field in fields {
        let asked = section.settings.windows(field.name)
        guard !asked.isPart else {
          throw LabError(
            .usage, "the file asks for a part of the windows itself", at: "--chunks",
            expected: "measure.\(section.key).\(field.name) without a part",
            got: asked.description, advice: "leave --chunks out, or take the part out of the file")
        }
        let shared = WindowSelection(part.lower, part.upper, of: asked.whole)
        if case .first(let count) = asked.whole, part.lower >= count {
          throw LabError(
            .usage, "the part begins behind the last window that the file asks for", at: "--chunks",
            expected: "a first window of 0…\(count - 1)", got: "\(part.lower)")
        }
        var settings = section.settings
        settings.values[field.name] = .windows(shared)
        measure.sections[index] = Measurements.Section(
          key: section.key, settings: settings, measure: try section.definition.make(settings),
          definition: section.definition)
        document.set(
          ["measure", section.key, field.name],
          to: YAMLNode(.scalar(shared.description, plain: false), at: document.position))
        isShared = true
      }
    }
    guard isShared else {
      throw LabError(
        .usage, "no measure of the experiment has windows to share out", at: "--chunks",
        expected: "perplexity or divergence under 'measure'",
        advice: "share out the variants: --shard 1/4, or --index")
    }
  }
}

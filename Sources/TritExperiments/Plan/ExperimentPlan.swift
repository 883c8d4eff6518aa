public import TritCore
public import TritModel

/// One variant of a plan: what is run, under which number, id and name.
public struct PlannedVariant: Sendable {
  /// The place in the plan, from 0.
  public var index: Int
  /// Ten hex digits of the SHA-256 of the choices: the same choices have the same id in every plan.
  public var id: String
  /// For people: the variant's name, or what differs from the other variants.
  public var label: String
  /// The name, where the file gives one.
  public var name: String?
  /// All choices, the base included.
  public var settings: VariantSettings
  /// What was chosen on top of the base.
  public var overrides: [(key: String, value: String)]
  /// What others have published of it; empty for most.
  public var published: [PublishedFigure] = []
  /// Where the variant was written.
  public var position: SourcePosition

  /// Where its stages come from.
  let lab: Lab

  /// The choices as an engine takes them.
  public var selection: StageSelection { settings.selection(in: lab) }
}

/// The deterministic, numbered list of variants that an experiment file stands for.
///
/// With a sweep, its product in written order (the last axis varies fastest), or the part of it
/// that the design says, each on top of the base; then the named variants, each on top of the base.
/// With neither, the base alone.
public struct ExperimentPlan: Sendable {
  /// The file.
  public var file: ExperimentFile
  /// The variants, in the order in which they run: all, or those that were selected.
  public var variants: [PlannedVariant]
  /// All variants that the file stands for.
  public let all: [PlannedVariant]
  /// What they are compared with, if anything.
  public var reference: PlannedVariant?
  /// What is not at hand and may be absent: variants with published figures, and sections of
  /// `measure` where all variants are such.
  package var absent = AbsentInputs()
  /// Training files in whose place models stand (`trained`): paths from the root on, by how they are
  /// written.
  var trainingFiles: [String: String] = [:]

  /// More variants than this in one file are taken for a mistake.
  public static let maximumVariants = 1000

  /// Reads `path` and expands it. Throws `LabErrors` with every problem of the file and of the
  /// pairs of stages that it puts together; nothing is run and no model is read. `plugins` loads
  /// what the file names under `plugins:`.
  public init(
    path: String, overrides: [String] = [], lab: Lab = .standard,
    plugins: ExperimentPlugins = ExperimentFile.refusePlugins
  ) throws {
    try self.init(
      ExperimentFile.read(path: path, overrides: overrides, lab: lab, plugins: plugins))
  }

  /// Expands a file that has been read.
  public init(_ file: ExperimentFile) throws {
    self.file = file
    let problems = Problems()
    var list = try Self.product(file)
    for named in file.variants {
      list.append(
        PlannedVariant(
          index: 0, id: "", label: named.name, name: named.name,
          settings: file.base.overridden(by: named.settings),
          overrides: named.settings.flattened, published: named.published,
          position: named.position, lab: file.lab))
    }
    guard list.count <= Self.maximumVariants else {
      throw LabError(
        .badData, "the file has too many variants",
        at: (file.document["variants"]?.position ?? file.document.position).description,
        expected: "at most \(Self.maximumVariants), those of the sweep included",
        got: "\(list.count)", advice: "split the file")
    }
    if list.isEmpty {
      list.append(
        PlannedVariant(
          index: 0, id: "", label: "base", name: nil, settings: file.base, overrides: [],
          position: file.document["base"]?.position ?? file.document.position, lab: file.lab))
    }
    Self.number(&list, problems)
    Self.label(&list)
    variants = list
    all = list
    reference = file.reference.map { settings in
      PlannedVariant(
        index: -1, id: settings.identity, label: "reference", name: "reference",
        settings: settings, overrides: [],
        position: file.document["reference"]?.position ?? file.document.position, lab: file.lab)
    }
    checkBaseline(problems)
    checkDetect(problems)
    checkPublished(problems)
    checkSeeds(problems)
    StagePairing(file.lab).check(variants + (reference.map { [$0] } ?? []), problems)
    try problems.throwIfAny()
  }

  private func checkBaseline(_ problems: Problems) {
    // Labels of records are known once they are read.
    guard let baseline = file.baseline, file.records == nil else { return }
    let labels = variants.map(\.label) + (reference.map { [$0.label] } ?? [])
    guard !labels.contains(baseline) else { return }
    problems.add(
      "there is no such variant", "baseline",
      at: file.document["baseline"]?.position ?? file.document.position,
      expected: "one of: \(labels.prefix(12).joined(separator: " | "))", got: baseline,
      advice: Suggestion.didYouMean(baseline, labels))
  }

  /// A difference in what is not measured is never seen, and nobody would be warned.
  private func checkDetect(_ problems: Problems) {
    guard file.records == nil else { return }
    let asked = file.measure.asked
    for quantity in PairedQuantity.detectable(file.lab)
    where file.detect[quantity.key] != nil && !asked.contains(quantity.section) {
      problems.add(
        "nothing that is measured tells it", "detect.\(quantity.key)",
        at: file.document["detect"]?[quantity.key]?.position ?? file.document.position,
        expected: "measure.\(quantity.section)", got: asked.sorted().joined(separator: ", "),
        advice: "measure it, or leave it out of detect")
    }
  }

  private static func product(_ file: ExperimentFile) throws -> [PlannedVariant] {
    guard !file.sweep.isEmpty else { return [] }
    let points = SweepPoints(axes: file.sweep, base: file.base, design: file.design)
    guard let count = points.count, count <= maximumVariants else {
      throw LabError(
        .badData, "sweep: the product has too many variants",
        at: (file.document["sweep"]?.position ?? file.document.position).description,
        expected: "at most \(maximumVariants)", got: points.count.map { "\($0)" },
        advice:
          "split the file, drop values, or run some of them: sweep.random: 100, or design: ofat")
    }
    let keys = file.sweep.map(\.key)
    return points.all.map { settings in
      let position = keys.compactMap { settings.positions[$0] }.last
      return PlannedVariant(
        index: 0, id: "", label: "", name: nil, settings: file.base.overridden(by: settings),
        overrides: settings.flattened, position: position ?? file.document.position, lab: file.lab)
    }
  }

  /// A seed that a measure has of its own is not the variants'.
  private func checkSeeds(_ problems: Problems) {
    guard let variant = all.first(where: { $0.settings.seed != nil }) else { return }
    for section in file.measure.sections {
      for field in section.definition.fields {
        guard case .seedOfExperiment = field.standard,
          let position = section.settings.positions[field.name]
        else { continue }
        problems.add(
          "seeds of variants have no effect beside it", "measure.\(section.key).\(field.name)",
          at: position, expected: "none, where variants have seeds",
          got: "a seed in variant '\(variant.label)'", advice: "drop it, or the variants' seeds")
      }
    }
  }

  private static func number(_ list: inout [PlannedVariant], _ problems: Problems) {
    var seen: [String: Int] = [:]
    for index in list.indices {
      list[index].index = index
      list[index].id = list[index].settings.identity
      if let earlier = seen.updateValue(index, forKey: list[index].id) {
        problems.add(
          "the same choices as variant \(earlier)",
          list[index].name.map { "variant '\($0)'" } ?? "sweep", at: list[index].position,
          expected: "variants that differ", advice: "remove one of the two")
      }
    }
  }

  /// Gives sweep variants a label of what differs between them: `i2_s`, `i2_s · int8`, `2 threads`.
  private static func label(_ list: inout [PlannedVariant]) {
    let swept = list.indices.filter { list[$0].name == nil && !list[$0].overrides.isEmpty }
    var values: [String: Set<String>] = [:]
    for index in swept {
      for (key, value) in list[index].overrides { values[key, default: []].insert(value) }
    }
    for index in swept {
      let varying = list[index].overrides.filter { pair in
        (values[pair.key]?.count ?? 0) > 1 || pair.key.hasPrefix("layers.")
      }
      let parts = (varying.isEmpty ? list[index].overrides : varying).map { pair -> String in
        switch pair.key {
        case "threads": return pair.value == "1" ? "1 thread" : "\(pair.value) threads"
        case "seed": return "seed \(pair.value)"
        case "training-seed": return "training seed \(pair.value)"
        case "model": return pair.value.split(separator: "/").last.map(String.init) ?? pair.value
        case let key where key.hasPrefix("layers."):
          let pattern = key.dropFirst("layers.".count).split(separator: ".").dropLast()
          return "\(pattern.joined(separator: ".")) \(pair.value)"
        default: return pair.value
        }
      }
      list[index].label = parts.joined(separator: " · ")
    }
    // Two stages can take the same word (int8 activations, int8 cache): say which.
    var count: [String: Int] = [:]
    for variant in list { count[variant.label, default: 0] += 1 }
    for index in list.indices where (count[list[index].label] ?? 0) > 1 {
      list[index].label = list[index].overrides.map { "\($0.key) \($0.value)" }
        .joined(separator: " · ")
    }
  }

  /// One line for each variant: index, id, overrides, with tabs between; for `--list` and job
  /// arrays.
  public var listing: String {
    variants.map { variant in
      var words = variant.overrides.map { "\($0.key)=\($0.value)" }
      if let name = variant.name { words.insert("name=\(name)", at: 0) }
      return "\(variant.index)\t\(variant.id)\t\(VisibleText.line(words.joined(separator: " ")))\n"
    }.joined()
  }

  /// Identifies the plan: all ids, the reference's and what is measured.
  var identity: String {
    let text =
      variants.map { "\($0.id) \($0.label)" }.joined(separator: "\n")
      + "\nreference \(reference?.id ?? "none") \(file.baseline ?? "")\n"
      + file.measure.sections.map { InputText.of($0.settings.canonical) }.joined(separator: "\n")
      + "\n"
      + file.plots.map { "\($0.name) \($0.figure.key) \($0.template?.path ?? "")" }
      .joined(separator: ",")
      + "\n\(file.model?.path ?? "")\n\(file.seed) \(file.threads ?? 0) \(file.context ?? 0)"
    // A part of the variants is a plan of its own.
    return String(SHA256.hex(text).prefix(16))
  }
}

extension VariantSettings {
  /// Ten hex digits that depend on the choices alone.
  var identity: String {
    let text = flattened.map { "\($0.key)=\($0.value)\n" }.joined()
    return String(SHA256.hex(text).prefix(10))
  }

  /// The choices among the stages of `lab` as an engine takes them; what is not chosen is the
  /// standard there.
  public func selection(in lab: Lab = .stages) -> StageSelection {
    var selection = StageSelection()
    for (key, choice) in stages { selection.choose(choice, for: key, in: lab) }
    selection.layers = layers.map { LayerOverride(pattern: $0.pattern, choices: $0.stages) }
    return selection
  }
}

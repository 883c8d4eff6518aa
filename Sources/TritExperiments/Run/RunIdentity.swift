internal import TritCore
internal import TritEvaluation
internal import TritFormats
internal import TritKernels
internal import TritModel

/// Everything that the figures of one record depend on. Its digest is what `RunRecord.inputs`
/// holds: a record is taken over from an earlier run only where all of this is equal.
///
/// The digest is made of every stored property, found by reflection, so that none can be declared
/// and forgotten; the same holds for the settings of a section of `measure`. What is not here must
/// not change a figure: names, labels, folders, the order of keys, what is printed and drawn.
package struct RunIdentity: Sendable {
  /// The form of this list; another form is another identity.
  package var layout = "trit/identity/3"
  /// Version and bytes of the program and of the lab's own code.
  package var program: String
  /// Libraries that compute: OpenBLAS, its version and the core that it runs (`OPENBLAS_CORETYPE`),
  /// the C library's functions.
  package var libraries: String
  /// The processor and its instruction sets: they decide which kernels run.
  package var processor: String
  /// Threads of the variant: speeds depend on them.
  package var threads: Int
  /// Positions of the KV cache; nil is the model's own. Windows that nobody sizes are cut to it.
  package var context: Int?
  /// The file's seed.
  package var seed: UInt64
  /// Digest of everything that was read to make the model: weights, configuration, tokenizer.
  package var model: String
  /// What the records of its training say, which the record repeats.
  package var training: String
  /// The chosen stages, layer overrides included, `key=choice`. An `auto` that may lose something
  /// stands as what it picked.
  package var stages: [String]
  /// Code from outside that the variant may run, `stage name=digest`: a kernel that changed is
  /// measured again.
  package var origins: [String]
  /// The sections that are measured.
  package var measures: [MeasureIdentity]

  /// Lists them all.
  package init(
    program: String, libraries: String, processor: String, threads: Int, context: Int?,
    seed: UInt64, model: String, training: String, stages: [String], origins: [String] = [],
    measures: [MeasureIdentity]
  ) {
    self.program = program
    self.libraries = libraries
    self.processor = processor
    self.threads = threads
    self.context = context
    self.seed = seed
    self.model = model
    self.training = training
    self.stages = stages
    self.origins = origins
    self.measures = measures
  }

  /// SHA-256 of all of it, 64 hex digits.
  package var digest: String { SHA256.hex(InputText.of(self)) }

  /// What a variant is, apart from what is measured on it: how a variant names its reference.
  package var withoutMeasures: RunIdentity {
    var identity = self
    identity.measures = []
    return identity
  }
}

/// What the figures of one section of `measure` depend on, beyond the variant itself.
package struct MeasureIdentity: Sendable {
  /// The section.
  package var section: String
  /// Every setting of the section but the place of its text.
  package var settings: String
  /// SHA-256 of the text or of the questions.
  package var text: String?
  /// How the text is read: the same bytes read in two ways are two measurements.
  package var reading: String?
  /// The identity of what the section compares with.
  package var reference: String?

  /// Lists them all.
  package init(
    section: String, settings: String, text: String?, reading: String?, reference: String?
  ) {
    self.section = section
    self.settings = settings
    self.text = text
    self.reading = reading
    self.reference = reference
  }
}

/// Values as text that is equal exactly where the values are.
package enum InputText {
  /// `value` with all its parts: structures and dictionaries by key in alphabetical order, text
  /// quoted.
  package static func of(_ value: Any) -> String {
    switch value {
    case let choice as StageChoice: return quoted(choice.description)
    case let text as String: return quoted(text)
    default: break
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: return mirror.children.first.map { of($0.value) } ?? "null"
    case .collection: return "[" + mirror.children.map { of($0.value) }.joined(separator: ",") + "]"
    case .set:
      return "{" + mirror.children.map { of($0.value) }.sorted().joined(separator: ",") + "}"
    case .dictionary:
      let pairs = mirror.children.map { pair in
        Mirror(reflecting: pair.value).children.map { of($0.value) }.joined(separator: ":")
      }
      return "{" + pairs.sorted().joined(separator: ",") + "}"
    case .struct, .class, .tuple: return fields(mirror.children.map { ($0.label ?? "", $0.value) })
    default: return quoted(String(describing: value))
    }
  }

  /// `{key:value,…}` in the order of the keys.
  static func fields(_ fields: [(key: String, value: Any)]) -> String {
    let pairs = fields.map { (key: $0.key, text: of($0.value)) }.sorted { $0.key < $1.key }
    return "{" + pairs.map { "\(quoted($0.key)):\($0.text)" }.joined(separator: ",") + "}"
  }

  private static func quoted(_ text: String) -> String { JSONWriter.text(.string(text)) }
}

extension RunInputs {
  /// Digest of everything that the measurements of `variant` depend on; `ofWhole` as if all windows
  /// of a text were measured at once where the plan asks for a part.
  func digest(
    of variant: PlannedVariant, in plan: ExperimentPlan, ofWhole: Bool = false
  ) -> String {
    identity(of: variant, in: plan, ofWhole: ofWhole).digest
  }

  /// Whether code from outside may run on `variant`.
  func mayRunGuests(_ variant: PlannedVariant, in plan: ExperimentPlan) -> Bool {
    !origins(of: settings(of: variant), in: plan).isEmpty
  }

  /// Everything that the measurements of `variant` depend on.
  func identity(
    of variant: PlannedVariant, in plan: ExperimentPlan, ofWhole: Bool = false
  ) -> RunIdentity {
    let model = model(of: variant, in: plan)
    let settings = settings(of: variant)
    return RunIdentity(
      program: "\(program.version) \(program.digest)", libraries: program.libraries,
      processor: program.processor, threads: threads(of: variant), context: plan.file.context,
      seed: settings.seed ?? plan.file.seed, model: model?.digest ?? "",
      training: model?.reading ?? "",
      // The model goes by its content, and what draws tokens belongs to `generate`.
      stages: settings.flattened
        .filter { !["model", "threads", "sampler", "seed", "training-seed"].contains($0.key) }
        .map { "\($0.key)=\($0.value)" },
      origins: origins(of: settings, in: plan),
      measures: measures(of: variant, in: plan, ofWhole: ofWhole))
  }

  /// Stages from outside that the variant chooses, or that an implementation which stands for
  /// others (`auto`, a packing's bare name) may choose for it.
  private func origins(of settings: VariantSettings, in plan: ExperimentPlan) -> [String] {
    let ownSamplers = plan.file.measure.sections.map(\.measure.needs.sampler)
    let samplers = ([settings.sampler] + ownSamplers).compactMap(\.self)
      .flatMap { $0.processors + [$0.sampler] }.map(\.name)
    return lab.guests.compactMap { key, descriptor in
      guard let kind = lab.kind(key) else { return nil }
      let running: [String]
      switch kind.scope {
      // Layers that choose another form without a kernel run with the standard one.
      case .layer, .model:
        let chosen = ([settings.stages] + settings.layers.map(\.stages))
          .compactMap { $0[key]?.name ?? kind.standard?.name }
        // The bytes of a file ask for its packing by name, which a lab of somebody's own may give
        // to another.
        running = chosen + (key == .packing ? TernaryTensors.packings : [])
      case .sampling: running = samplers
      case .experiment: running = key == .measure ? plan.file.measure.keys : []
      }
      let own = [descriptor.name] + descriptor.aliases
      guard running.contains(where: { own.contains($0) || mayRun(descriptor, as: $0, of: kind) })
      else { return nil }
      return "\(key.rawValue) \(descriptor.name)=\(descriptor.origin.identity)"
    }.sorted()
  }

  /// Whether `name` stands for others, `descriptor` among them: the bare name of a packing for the
  /// kernels of that packing, `auto` for every candidate.
  private func mayRun(
    _ descriptor: StageDescriptor, as name: String, of kind: StageInformation
  ) -> Bool {
    guard lab.isDerived(kind.key, name) else { return false }
    if kind.descriptors.contains(where: { $0.kernel?.packing == name }) {
      return descriptor.kernel?.packing == name
    }
    return descriptor.kernel?.isCandidate ?? true
  }

  /// The sections that are measured on `variant`, each with what it depends on. Every setting is an
  /// input but those that say where a text is: of it, what was read counts.
  private func measures(
    of variant: PlannedVariant, in plan: ExperimentPlan, ofWhole: Bool
  ) -> [MeasureIdentity] {
    let reference = variant.index < 0 ? nil : plan.reference
    let referenceIdentity = reference.map {
      identity(of: $0, in: plan).withoutMeasures.digest
    }
    return plan.sections(of: variant).compactMap { section in
      let needs = section.measure.needs
      // The reference is not compared with itself.
      if needs.requiresReference, variant.index < 0 { return nil }
      var values = section.settings.values
      for field in lab.measures.first(where: { $0.key == section.key })?.fields ?? [] {
        switch field.form {
        case .data, .questions: values[field.name] = nil
        case .sampler:
          if let own = variant.settings.sampler { values[field.name] = .sampler(own) }
        case .windows:
          guard ofWhole, case .windows(let part)? = values[field.name] else { break }
          values[field.name] = part.needed.map { .integer($0) }
        default: break
        }
      }
      // Which member of a line is read shows in the text that it gives.
      if needs.text != nil { values["field"] = nil }
      let text = text(for: needs) ?? questions(for: needs)
      return MeasureIdentity(
        section: section.key, settings: InputText.of(values), text: text?.digest,
        reading: text?.reading,
        reference: needs.comparesWithReference ? referenceIdentity : nil)
    }
  }
}

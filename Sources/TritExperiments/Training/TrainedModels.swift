internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritFormats
internal import TritStories
internal import TritTraining

extension PathReference {
  /// Whether this names a training file, whose model is trained before it is measured.
  package var isTrainingFile: Bool {
    !isName && [".yaml", ".yml"].contains { path.hasSuffix($0) }
  }
}

/// Models that an experiment trains itself: `model:` of a variant names a training file, and
/// `training-seed` the seed of its training.
///
/// A model lies below the folder of all runs, in `trained/NAME-DIGEST`. The digest is that of all
/// that its weights depend on (settings with the seed, text, tokenizer), so that every run that
/// wants the same model finds it, and one whose file has changed makes another.
struct TrainedModels {
  /// The folder of all runs.
  let root: String
  let lab: Lab
  /// Threads of trainings whose files name none.
  let threads: Int?

  /// What a training left behind once it was through.
  private static let outcome = "training/outcome.json"

  /// The folder of the model that `file` makes.
  func folder(of file: TrainingFile) throws -> String {
    "\(root)/trained/\(file.settings.name.slug)-\(try Self.digest(file).prefix(10))"
  }

  /// Whether the training in `folder` is through.
  static func isThrough(_ folder: String) -> Bool {
    FileKind(at: folder + "/" + outcome).isNamed
  }

  /// Trains the model of `file` in `folder`, or goes on where a training was stopped. Waits where
  /// another process trains it. `note` gets lines for the person who watches. Throws what training
  /// throws.
  func train(_ file: TrainingFile, in folder: String, note: (String) -> Void) throws {
    try RunFiles.makeFolder(root + "/trained")
    let claims = VariantClaims(experiment: root + "/trained")
    let key = (folder as NSString).lastPathComponent
    var polls = 0
    while !claims.claim(SHA256.hex(key)) {
      if polls == 0 {
        note("\(key): waiting for \(claims.holder(SHA256.hex(key))), which trains it")
      }
      polls += 1
      try Interruption.check()
      Thread.sleep(forTimeInterval: 0.2)
    }
    defer { claims.release(SHA256.hex(key)) }
    guard !Self.isThrough(folder) else { return }
    note("training \(key) with seed \(file.settings.seed)")
    var told = MonotonicClock.seconds()
    let job = TrainingJob(file, output: folder, threads: file.threads ?? threads, lab: lab)
    let result = try job.run(
      observer: { event in
        guard case .step(let record, let steps, let remaining) = event else { return }
        let now = MonotonicClock.seconds()
        guard now - told >= 10 else { return }
        told = now
        note(
          "\(key): step \(record.step) of \(steps), loss \(Figures.plain(record.loss)), "
            + "\(Figures.fixed(remaining, 0)) s left")
      }, note: { _ in })
    try AtomicFile.write(
      JSONWriter.text([
        "steps": JSONValue(result.steps), "validation_loss": JSONValue(result.validationLoss),
      ]) + "\n", to: folder + "/" + Self.outcome)
  }

  /// Digest of what a training depends on. Throws where its text is not there.
  private static func digest(_ file: TrainingFile) throws -> String {
    var parts = [JSONWriter.text(file.settings.document)]
    for source in file.data.train + ["|"] + file.data.valid {
      let isKnown = source == "|" || StoryDataset(named: source) != nil
      parts.append(isKnown ? source : try TextDataset.load(source).digest)
    }
    parts.append("\(file.data.tokens) \(file.data.validTokens)")
    switch file.tokenizer {
    case .trained(let vocabulary, let bytes): parts.append("\(vocabulary) \(bytes)")
    case .file(let path):
      let isFolder = FileKind(at: path) == .folder
      parts.append(try OpenedFiles.digest(of: isFolder ? path + "/tokenizer.json" : path))
    }
    return SHA256.hex(parts.joined(separator: "\u{0}"))
  }
}

extension ExperimentPlan {
  /// Whether a model of the plan is one that it trains.
  var hasTrainings: Bool {
    (variants + (reference.map { [$0] } ?? [])).contains {
      ($0.settings.model ?? file.model)?.isTrainingFile == true
    }
  }

  /// The plan with trained models in the place of training files. What is not trained yet is
  /// trained now where `trains` says so, and stays away else; `note` gets lines for the person who
  /// watches.
  ///
  /// Throws for training files that are wrong, before anything is trained, `badData` for seeds of
  /// trainings that there are none of, and what training throws.
  func trained(
    root: String, trains: Bool, note: (String) -> Void = { _ in }
  ) throws -> ExperimentPlan {
    var plan = self
    let models = TrainedModels(root: root, lab: file.lab, threads: file.threads)
    var wanted: [(file: TrainingFile, folder: String)] = []
    for index in plan.variants.indices {
      var variant = plan.variants[index]
      try plan.replaceModel(of: &variant, models, &wanted)
      plan.variants[index] = variant
    }
    if var reference = plan.reference {
      try plan.replaceModel(of: &reference, models, &wanted)
      plan.reference = reference
    }
    guard trains else { return plan }
    for (file, folder) in wanted where !TrainedModels.isThrough(folder) {
      try models.train(file, in: folder, note: note)
    }
    return plan
  }

  /// Puts the folder of its model in the place of a training file, and both on the list.
  private mutating func replaceModel(
    of variant: inout PlannedVariant, _ models: TrainedModels,
    _ wanted: inout [(file: TrainingFile, folder: String)]
  ) throws {
    guard let model = variant.settings.model ?? file.model else { return }
    let seed = variant.settings.trainingSeed
    guard model.isTrainingFile else {
      guard seed != nil else { return }
      throw LabError(
        .badData, "'training-seed' has no effect: the model is not trained here",
        at: (variant.settings.positions["training-seed"] ?? variant.position).description,
        expected: "a training file, as in model: train/tiny.yaml", got: model.text,
        advice: "name the training file of the model, or drop 'training-seed'")
    }
    do {
      let training = try TrainingFile.read(
        path: model.path, overrides: seed.map { ["seed=\($0)"] } ?? [], lab: file.lab)
      let folder = try models.folder(of: training)
      if !wanted.contains(where: { $0.folder == folder }) { wanted.append((training, folder)) }
      trainingFiles[model.text] = AbsolutePath.standardized(model.path)
      variant.settings.model = PathReference(text: model.text, path: folder)
    } catch let error as LabError {
      throw error.inside("\(variant.position): variant '\(variant.label)'")
    }
  }
}

internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritFormats
internal import TritKernels
internal import TritModel
internal import TritSampling
internal import TritTokenization

/// Measures real models with the engine.
final class LabBackend: ExperimentBackend {
  let lab: Lab
  let measuresSpeedInRounds = true
  private var texts: [String: TextDataset] = [:]
  private var questions: [String: TaskDataset] = [:]
  private var tasks: [String: HarnessBatch] = [:]
  private var retrievals: [String: RetrievalDataset] = [:]
  /// By layout of I2_S and path: opened once in a run, so that every variant has what the digest is of.
  private var checkpoints: [String: Checkpoint] = [:]
  private var training: [String: [String: Double]] = [:]
  /// The tokenizer of every model, where the experiment names one.
  private var tokenizer: String?

  /// Models that another process of the run has digested, by where they were found.
  private let digested: [String: InputIdentity]

  init(lab: Lab, digested: [InputIdentity] = []) {
    self.lab = lab
    self.digested = Dictionary(
      digested.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func use(tokenizer: PathReference) throws {
    let path = tokenizer.isName ? try ModelLocation.resolve(tokenizer.path) : tokenizer.path
    _ = try TokenizerLoader.load(path: path)
    self.tokenizer = path
  }

  func find(model: PathReference) throws { _ = try ModelLocation.resolve(model.path) }

  func identify(model: PathReference) throws -> InputIdentity {
    let path = try ModelLocation.resolve(model.path)
    // A model that cannot be read is a problem of the file that names it, not of every variant.
    let checkpoint = try checkpoint(path)
    // A tokenizer that cannot be read is told where text is needed; its file counts all the same.
    _ = try? checkpoint.tokenizer()
    let figures = TrainingFigures.of(path)
    training[path] = figures
    if var known = digested[path] {
      known.name = model.text
      return known
    }
    let content = try checkpoint.contentDigest()
    return InputIdentity(
      name: model.text, path: path, digest: content.digest, bytes: content.bytes,
      reading: figures.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        .joined(separator: ", "))
  }

  func identify(data: PathReference, field: String?) throws -> InputIdentity {
    let isFile = FileManager.default.fileExists(atPath: data.path)
    // What is no file may be a data set's name, looked up below TRITLAB_DATA.
    var known = isFile ? data.path : data.text
    if let field { known += ":\(field)" }
    let text = try TextDataset.load(known)
    let identity = InputIdentity(
      name: data.text, path: text.sources.first ?? known, digest: text.digest,
      bytes: text.byteCount, reading: text.reading)
    texts[identity.key] = text
    return identity
  }

  func identify(questions place: PathReference, limit: Int?) throws -> InputIdentity {
    let data = try TaskDataset.load(place.path, limit: limit)
    let identity = InputIdentity(
      name: place.text, path: place.path, digest: data.digest, bytes: data.byteCount)
    questions[identity.key] = data
    return identity
  }

  func identify(retrieval place: PathReference, limit: Int?) throws -> InputIdentity {
    let data = try RetrievalDataset.load(place.path, limit: limit)
    let identity = InputIdentity(
      name: place.text, path: place.path, digest: data.digest, bytes: data.byteCount)
    retrievals[identity.key] = data
    return identity
  }

  func identify(tasks needs: HarnessNeeds) throws -> InputIdentity {
    let batch = try HarnessBatch(needs)
    let identity = InputIdentity(
      name: needs.names.joined(separator: ","), path: batch.path, digest: batch.digest,
      bytes: batch.byteCount, reading: "lm-evaluation-harness \(HarnessTask.harnessVersion)")
    tasks[identity.key] = batch
    return identity
  }

  func load(_ request: SessionRequest) throws -> any VariantSession {
    let start = ContinuousClock.now
    let checkpoint = try checkpoint(request)
    let engine = try Engine(
      checkpoint: checkpoint, selection: request.settings.selection(in: lab), lab: lab,
      options: EngineOptions(threads: request.threads, maxContext: request.context))
    return LabSession(
      engine: engine, checkpoint: checkpoint, lab: lab,
      training: training[request.model.path] ?? [:],
      loadSeconds: (ContinuousClock.now - start) / .seconds(1), texts: { [self] in texts[$0] },
      questions: { [self] in questions[$0] }, tasks: { [self] in tasks[$0] },
      retrievals: { [self] in retrievals[$0] })
  }

  /// The checkpoint of a request, as its layout says.
  func checkpoint(_ request: SessionRequest) throws -> Checkpoint {
    try checkpoint(request.model.path, request.settings.i2sLayout ?? .blocks128)
  }

  /// The checkpoint, opened once in a run for each way to read it.
  func checkpoint(_ path: String, _ layout: I2SLayout = .blocks128) throws -> Checkpoint {
    let key = "\(layout.rawValue) \(path)"
    if let known = checkpoints[key] { return known }
    let value = try I2SLayout.$assumed.withValue(layout) {
      try Checkpoint(path: path, tokenizer: tokenizer, packings: lab[.packing])
    }
    checkpoints[key] = value
    return value
  }

  func checkUnchanged() throws -> [String] {
    try checkpoints.sorted { $0.key < $1.key }.flatMap { try $0.value.files.checkUnchanged() }
  }
}

/// An engine and what is measured on it.
final class LabSession: VariantSession {
  let engine: Engine
  let checkpoint: Checkpoint
  let lab: Lab
  private let training: [String: Double]
  private let loadSeconds: Double
  private let texts: (_ key: String) -> TextDataset?
  private let questions: (_ key: String) -> TaskDataset?
  private let tasks: (_ key: String) -> HarnessBatch?
  private let retrievals: (_ key: String) -> RetrievalDataset?
  private var recorded: RecordedLogits?

  init(
    engine: Engine, checkpoint: Checkpoint, lab: Lab,
    training: [String: Double], loadSeconds: Double,
    texts: @escaping (String) -> TextDataset?, questions: @escaping (String) -> TaskDataset?,
    tasks: @escaping (String) -> HarnessBatch?,
    retrievals: @escaping (String) -> RetrievalDataset?
  ) {
    self.engine = engine
    self.checkpoint = checkpoint
    self.lab = lab
    self.training = training
    self.loadSeconds = loadSeconds
    self.texts = texts
    self.questions = questions
    self.tasks = tasks
    self.retrievals = retrievals
  }

  /// `a (12 layers), b (2 layers)`, in the order of their first.
  static func counted(_ values: [String]) -> String {
    var counts: [(String, Int)] = []
    for value in values {
      if let index = counts.firstIndex(where: { $0.0 == value }) {
        counts[index].1 += 1
      } else {
        counts.append((value, 1))
      }
    }
    return counts.count == 1
      ? counts[0].0 : counts.map { "\($0.0) (\($0.1) layers)" }.joined(separator: ", ")
  }

  var facts: [String: String] {
    func list(_ values: [String]) -> String { Self.counted(values) }
    let trained = engine.configuration.contextLength
    var facts = [
      "kernels": list(engine.layers.map(\.kernel)), "weights": list(engine.layers.map(\.form)),
      "provenance": list(engine.layers.map(\.provenance)),
      "activations": list(engine.layers.map(\.activations)), "head": engine.headReport.kernel,
      "cache": engine.cacheName,
      "context": "\(engine.contextLength) of \(trained)",
    ]
    if engine.contextLength > trained {
      facts[Warnings.key("context")] =
        "the cache has \(engine.contextLength) positions, the model was trained with \(trained): what is "
        + "generated or measured beyond is worse for that alone"
    }
    if !checkpoint.notes.isEmpty { facts["model notes"] = checkpoint.notes.joined(separator: "; ") }
    if !engine.notes.isEmpty { facts["tokenizer"] = engine.notes.joined(separator: "; ") }
    return facts
  }

  var figures: [String: Double] {
    let parameters = engine.layers.reduce(0) { $0 + $1.rows * $1.columns }
    let bytes = engine.layers.reduce(0) { $0 + $1.statedBytes }
    var figures = [
      "linear_parameters": Double(parameters), "linear_bytes": Double(bytes),
      "bits_per_weight": parameters > 0 ? 8 * Double(bytes) / Double(parameters) : 0,
      "held_bytes": Double(engine.layers.reduce(0) { $0 + $1.bytes }),
      "head_bytes": Double(engine.headReport.bytes),
      engine.readsAllWeights ? "bytes_per_token" : "most_bytes_per_token":
        Double(engine.weightBytes),
      "cache_bytes_per_position": Double(engine.cacheBytesPerPosition),
      "load_seconds": loadSeconds,
      "parameters": Double(checkpoint.parameterCount),
    ]
    figures.merge(training) { $1 }
    return figures
  }

  // MARK: Measuring

  func measure(_ measure: any Measure, _ request: MeasureRequest) throws -> Measured {
    try measure.run(MeasureRun(session: self, request: request))
  }

  func dataset(_ data: InputIdentity?) throws -> TextDataset {
    guard let data, let text = texts(data.key) else {
      throw LabError(.internalError, "a text was not kept", at: data?.path)
    }
    return text
  }

  func taskDataset(_ data: InputIdentity?) throws -> TaskDataset {
    guard let data, let questions = questions(data.key) else {
      throw LabError(.internalError, "the questions were not kept", at: data?.path)
    }
    return questions
  }

  func taskBatch(_ data: InputIdentity?) throws -> HarnessBatch {
    guard let data, let batch = tasks(data.key) else {
      throw LabError(.internalError, "the records of tasks were not kept", at: data?.path)
    }
    return batch
  }

  func retrievalDataset(_ data: InputIdentity?) throws -> RetrievalDataset {
    guard let data, let set = retrievals(data.key) else {
      throw LabError(.internalError, "queries and documents were not kept", at: data?.path)
    }
    return set
  }

  /// The longest window that is taken without being asked for: what fits the cache, and no more
  /// than the model was trained with.
  var longestWindow: Int {
    min(engine.contextLength, engine.configuration.contextLength)
  }

  /// This session as a model whose logits are kept, so that it is run once for many comparisons.
  var asReference: any LanguageModel {
    if let recorded { return recorded }
    let model = RecordedLogits(engine)
    recorded = model
    return model
  }
}

/// A model that remembers the logits it has given, as far as memory allows: the reference is run
/// once and compared with many variants.
final class RecordedLogits: ForwardingModel {
  private struct Run {
    var tokens: [Int]
    var first: Int
    var logits: [Float]
  }

  /// Bytes of logits that are kept; what goes beyond is computed again each time.
  static let limit = 512 << 20

  let model: any LanguageModel
  private var runs: [Run] = []
  private var bytes = 0

  init(_ model: any LanguageModel) { self.model = model }

  func forEachLogits(
    of tokens: [Int], from first: Int,
    _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    if let run = runs.first(where: { $0.first == first && $0.tokens == tokens }) {
      try run.logits.withUnsafeBufferPointer { all in
        for row in 0..<(all.count / vocabularySize) {
          let part = all[row * vocabularySize..<(row + 1) * vocabularySize]
          try body(first + row, UnsafeBufferPointer(rebasing: part))
        }
      }
      return
    }
    let size = max(tokens.count - first, 0) * vocabularySize * MemoryLayout<Float>.stride
    guard bytes + size <= Self.limit else {
      try model.forEachLogits(of: tokens, from: first, body)
      return
    }
    var run = Run(tokens: tokens, first: first, logits: [])
    run.logits.reserveCapacity(size / MemoryLayout<Float>.stride)
    try model.forEachLogits(of: tokens, from: first) { position, logits in
      run.logits.append(contentsOf: logits)
      try body(position, logits)
    }
    runs.append(run)
    bytes += size
  }
}

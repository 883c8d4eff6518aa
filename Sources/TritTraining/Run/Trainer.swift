import Foundation
public import TritCore
import TritFormats
import TritModel
public import TritQuantization

/// Runs a training: steps, validations, checkpoints, and the trained model at the end.
///
/// The folder gets `training/state.safetensors` (to go on from), `training/metrics.jsonl`, and at
/// the end the model. A training that is stopped in any way, `kill -9` included, goes on from its
/// last checkpoint and ends with the same bits as one that was not.
public final class Trainer {
  /// The settings.
  public let settings: TrainingSettings
  /// The folder.
  public let folder: String
  /// Masters and gradients.
  public let parameters: ParameterSet
  /// The model that computes them.
  public let model: TrainableTransformer
  private let optimizer: AdamW
  private var sampler: WindowSampler
  private let validation: [TokenBatch]
  private let endOfText: Int?
  private var state: TrainingState
  private let log: TrainingLog
  /// Steps whose validation is in the log.
  private var validated: Set<Int> = []
  private let lock: FolderLock

  /// The state to go on from.
  public static func statePath(_ folder: String) -> String {
    folder + "/training/state.safetensors"
  }
  /// The log of steps.
  public static func logPath(_ folder: String) -> String { folder + "/training/metrics.jsonl" }

  /// Makes `folder` for a training and locks it for as long as the lock lives. Throws `failure`
  /// that names the process where another one trains there.
  public static func lock(_ folder: String) throws -> FolderLock {
    do {
      try FileManager.default.createDirectory(
        atPath: folder + "/training", withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .cannotCreate, "cannot make the folder: \(error.localizedDescription)",
        at: folder + "/training")
    }
    return try FolderLock(folder: folder + "/training", name: "training.lock", what: "training")
  }

  /// Prepares a training in `folder`, which is made; goes on from its checkpoint unless `restart`,
  /// which removes it. `lock` is the folder's, where the caller has it; else it is taken here.
  /// Throws `usage` for impossible settings and for the checkpoint of another training, `failure`
  /// where another process trains in the folder.
  public init(
    _ settings: TrainingSettings, corpus: TokenCorpus, folder: String, endOfText: Int?,
    restart: Bool = false, lock: FolderLock? = nil, pool: WorkerPool,
    quantizers: Registry<any WeightQuantizer> = .standard,
    activations: Registry<any ActivationQuantizer> = .standard
  ) throws {
    self.settings = settings
    self.folder = folder
    self.endOfText = endOfText
    // Values, gradients, both means of the optimiser, and the quantized values.
    try MemoryLimit.require(
      settings.shape.parameterCount, of: 5 * 4,
      for: "training a model of \(settings.shape.parameterCount) parameters",
      advice: "make it smaller: model.hidden, model.layers or tokenizer.vocabulary")
    parameters = ParameterSet(settings.shape)
    if let path = settings.checkpoint {
      let checkpoint = try Checkpoint(path: path)
      guard try ModelShape(checkpoint) == settings.shape else {
        throw LabError(
          .usage, "the checkpoint that the training begins with has another shape", at: path,
          expected: "the model of settings.shape")
      }
      try parameters.load(checkpoint)
    } else {
      parameters.initialize(seed: settings.seed, deviation: settings.deviation)
    }
    model = try TrainableTransformer(
      parameters, quantizer: try quantizers.make(settings.quantizer),
      activations: try activations.make(settings.activations), sequences: settings.sequences,
      length: settings.length, pool: pool)
    optimizer = AdamW(
      parameters, beta1: settings.beta1, beta2: settings.beta2, pool: pool)
    sampler = try WindowSampler(
      corpus.train, length: settings.length, seed: settings.seed, what: "training text")
    validation = try Self.validationBatches(corpus.valid, settings)
    let identity = SHA256.hex(JSONWriter.text(settings.document) + corpus.digest)
    state = TrainingState(step: 0, seconds: 0, identity: identity)
    log = TrainingLog(path: Self.logPath(folder))
    self.lock = try lock ?? Self.lock(folder)
    if restart {
      // A kill before the first new checkpoint must not bring the old training back.
      unlink(Self.statePath(folder))
    } else if let found = try TrainingState.read(
      Self.statePath(folder), identity: identity, into: parameters, optimizer)
    {
      state = found
    }
    validated = try log.rewind(to: state.step)
  }

  /// Steps done so far.
  public var step: Int { state.step }

  /// Runs until the last step (or until `stop` steps are done, without the end's work), writes the
  /// model and gives how it ended. Ctrl-C saves a checkpoint and throws `interrupted`.
  @discardableResult public func run(
    until stop: Int? = nil, observer: (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingOutcome {
    let steps = settings.schedule.steps
    let last = min(stop ?? steps, steps)
    observer(.started(step: state.step, of: steps))
    var loss = Double.nan
    var paces: [Double] = []
    while state.step < last {
      if Interruption.isRequested {
        try save(observer)
        throw LabError(
          .interrupted, "interrupted after step \(state.step) of \(steps)", at: folder,
          advice: "the same command goes on from there")
      }
      let record = try makeStep()
      loss = record.loss
      paces.append(Double(settings.tokensPerStep) / record.tokensPerSecond)
      if paces.count > 20 { paces.removeFirst() }
      let pace = paces.reduce(0, +) / Double(paces.count)
      observer(.step(record, of: steps, remaining: pace * Double(steps - state.step)))
      let isLast = state.step == steps
      if settings.validationInterval > 0, state.step % settings.validationInterval == 0, !isLast {
        try validate(observer)
      }
      if state.step % max(settings.checkpointInterval, 1) == 0 || isLast { try save(observer) }
    }
    guard state.step == steps else {
      return TrainingOutcome(
        steps: state.step, lastLoss: loss, validationLoss: .nan, seconds: state.seconds)
    }
    let validationLoss = try validate(observer)
    try ModelExport.write(
      parameters, quantizer: settings.quantizer, activations: settings.activations,
      endOfText: endOfText, to: folder)
    return TrainingOutcome(
      steps: steps, lastLoss: loss, validationLoss: validationLoss, seconds: state.seconds)
  }

  /// Writes a checkpoint of the present step.
  public func save() throws {
    try log.sync()
    try state.write(parameters, optimizer, to: Self.statePath(folder))
  }

  private func save(_ observer: (TrainingEvent) -> Void) throws {
    try save()
    observer(.saved(step: state.step))
  }

  private func makeStep() throws -> StepRecord {
    let clock = ContinuousClock()
    let start = clock.now
    let step = state.step
    var loss = 0.0
    do {
      try model.prepareWeights()
    } catch let error as LabError where error.kind == .badData {
      throw diverged(step, error.description)
    }
    for part in 0..<settings.accumulation {
      let first = (step * settings.accumulation + part) * settings.sequences
      let batch = sampler.batch(first: first, count: settings.sequences)
      loss +=
        try model.backward(
          batch, weight: 1 / Double(settings.accumulation), accumulate: part > 0)
        / Double(settings.accumulation)
    }
    let rate = settings.schedule.rate(step)
    let norm = optimizer.update(
      rate: rate, weightDecay: settings.schedule.decay(step), clip: settings.clip)
    guard loss.isFinite, norm.isFinite else { throw diverged(step, "loss \(loss), norm \(norm)") }
    let seconds = Double((clock.now - start) / .seconds(1))
    state.step += 1
    state.seconds += seconds
    let record = StepRecord(
      step: state.step, tokens: state.step * settings.tokensPerStep, loss: loss, rate: rate,
      gradientNorm: norm, tokensPerSecond: Double(settings.tokensPerStep) / max(seconds, 1e-9),
      seconds: state.seconds)
    try log.append(record, seed: settings.seed)
    return record
  }

  private func diverged(_ step: Int, _ got: String) -> LabError {
    LabError(
      .failure, "the training diverged at step \(step + 1)", at: folder, got: got,
      advice: "lower optimisation.rate, or lengthen the warm-up; the last checkpoint is kept")
  }

  @discardableResult private func validate(_ observer: (TrainingEvent) -> Void) throws -> Double {
    let loss = try validationLoss()
    if !validated.insert(state.step).inserted { try log.dropValidation(of: state.step) }
    var line: [(key: String, value: JSONValue)] = [
      ("step", JSONValue(state.step)), ("validation_loss", JSONValue(loss)),
    ]
    if !loss.isFinite {
      let why = loss.isNaN && validation.isEmpty ? "no text is held out" : "the loss is \(loss)"
      line.append(("undefined", ["validation_loss": .string(why)]))
    }
    try log.append(.object(line))
    observer(.validated(step: state.step, loss: loss))
    return loss
  }

  /// Mean loss over the held-out windows, nats a token; NaN where there are none.
  public func validationLoss() throws -> Double {
    guard !validation.isEmpty else { return .nan }
    try model.prepareWeights()
    var sum = 0.0
    var count = 0
    for batch in validation {
      sum += try model.loss(batch) * Double(batch.tokens.count)
      count += batch.tokens.count
    }
    return sum / Double(count)
  }

  /// The first windows of the held-out tokens, in order.
  private static func validationBatches(
    _ tokens: [Int32], _ settings: TrainingSettings
  ) throws -> [TokenBatch] {
    let length = settings.length
    let windows = min((tokens.count - 1) / length, settings.validationSequences)
    guard windows > 0 else { return [] }
    return stride(from: 0, to: windows, by: settings.sequences).map { first in
      let end = min(first + settings.sequences, windows)
      return TokenBatch(
        tokens: Array(tokens[first * length..<end * length]),
        targets: Array(tokens[first * length + 1..<end * length + 1]), sequences: end - first)
    }
  }
}

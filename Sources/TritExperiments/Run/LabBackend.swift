internal import Foundation
internal import TritCore
internal import TritEvaluation
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
  /// By path: opened once in a run, so that every variant has what the digest is of.
  private var checkpoints: [String: Checkpoint] = [:]
  private var training: [String: [String: Double]] = [:]
  /// The tokenizer of every model, where the experiment names one.
  private var tokenizer: String?

  init(lab: Lab) { self.lab = lab }

  func use(tokenizer: PathReference) throws {
    let path = tokenizer.isName ? try ModelLocation.resolve(tokenizer.path) : tokenizer.path
    _ = try TokenizerLoader.load(path: path)
    self.tokenizer = path
  }

  func identify(model: PathReference) throws -> InputIdentity {
    let path = try ModelLocation.resolve(model.path)
    // A model that cannot be read is a problem of the file that names it, not of every variant.
    let checkpoint = try checkpoint(path)
    // A tokenizer that cannot be read is told where text is needed; its file counts all the same.
    _ = try? checkpoint.tokenizer()
    let content = try checkpoint.contentDigest()
    let figures = TrainingFigures.of(path)
    training[path] = figures
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

  func identify(tasks: TasksMeasure) throws -> InputIdentity {
    let data = try TaskDataset.load(tasks.data.path, limit: tasks.limit)
    let identity = InputIdentity(
      name: tasks.data.text, path: tasks.data.path, digest: data.digest, bytes: data.byteCount)
    questions[identity.key] = data
    return identity
  }

  func load(_ request: SessionRequest) throws -> any VariantSession {
    let start = ContinuousClock.now
    let checkpoint = try checkpoint(request.model.path)
    let engine = try Engine(
      checkpoint: checkpoint, selection: request.settings.selection, lab: lab,
      options: EngineOptions(threads: request.threads, maxContext: request.context))
    return LabSession(
      engine: engine, checkpoint: checkpoint, lab: lab,
      training: training[request.model.path] ?? [:],
      loadSeconds: (ContinuousClock.now - start) / .seconds(1), texts: { [self] in texts[$0] },
      questions: { [self] in questions[$0] })
  }

  /// The checkpoint, opened once in a run.
  func checkpoint(_ path: String) throws -> Checkpoint {
    if let known = checkpoints[path] { return known }
    let value = try Checkpoint(path: path, tokenizer: tokenizer, packings: lab[.packing])
    checkpoints[path] = value
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
  private var recorded: RecordedLogits?

  init(
    engine: Engine, checkpoint: Checkpoint, lab: Lab,
    training: [String: Double], loadSeconds: Double,
    texts: @escaping (String) -> TextDataset?, questions: @escaping (String) -> TaskDataset?
  ) {
    self.engine = engine
    self.checkpoint = checkpoint
    self.lab = lab
    self.training = training
    self.loadSeconds = loadSeconds
    self.texts = texts
    self.questions = questions
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

  /// Bytes of a layer as figures tell them: in the packing that the variant names, or, where it leaves the kernel
  /// to `auto`, in the plainest one. What `auto` picks is a matter of speed, and sizes must not change with
  /// it from run to run.
  private func statedBytes(_ layer: LayerReport) -> Int {
    layer.isPicked ? layer.plainBytes : layer.bytes
  }

  var figures: [String: Double] {
    let parameters = engine.layers.reduce(0) { $0 + $1.rows * $1.columns }
    let bytes = engine.layers.reduce(0) { $0 + statedBytes($1) }
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

  // MARK: Text

  func generate(
    _ measure: GenerateMeasure, sampler: SamplerSettings, progress: (Double) -> Void
  ) throws -> (texts: [GeneratedText], metrics: [String: Double]) {
    var options = GenerationOptions(
      sampling: .greedy, stages: sampler.processors + [sampler.sampler],
      maxTokens: measure.tokens, ignoresEnd: !measure.stopsAtEnd)
    options.sampling.seed = measure.seed
    var texts: [GeneratedText] = []
    var results: [GenerationResult] = []
    var load = MachineLoad()
    engine.resetTimes()
    for (index, prompt) in measure.prompts.enumerated() {
      let count = Double(measure.prompts.count)
      progress(Double(index) / count)
      let ((text, result), given) = try MachineLoad.during {
        try engine.generate(text: prompt, options: options)
      }
      load = load + given
      results.append(result)
      texts.append(
        GeneratedText(
          prompt: prompt, text: text, tokens: result.tokens, finish: result.finish.rawValue,
          agreement: nil, promptTokens: result.prompt.count))
    }
    var metrics: [String: Double] = [:]
    let prompted = results.reduce(0.0) { $0 + $1.promptSeconds }
    let decoded = results.reduce(0.0) { $0 + $1.decodeSeconds }
    let steps = results.reduce(0) { $0 + $1.decodeSteps }
    metrics["wait_share"] = load.waitShare
    metrics["tokens"] = Double(results.reduce(0) { $0 + $1.tokens.count })
    if prompted > 0 {
      metrics["prefill.tokens_per_second"] =
        Double(results.reduce(0) { $0 + $1.prompt.count }) / prompted
    }
    if decoded > 0, steps > 0 { metrics["decode.tokens_per_second"] = Double(steps) / decoded }
    for (stage, seconds) in engine.times.seconds where seconds > 0 {
      metrics["time.\(stage)_seconds"] = seconds
    }
    return (texts, metrics)
  }

  // MARK: Quality

  private func dataset(_ data: InputIdentity) throws -> TextDataset {
    guard let text = texts(data.key) else {
      throw LabError(.internalError, "a text was not kept", at: data.path)
    }
    return text
  }

  /// The longest window that is taken without being asked for: what fits the cache, and no more than the
  /// model was trained with.
  private var longestWindow: Int {
    min(engine.contextLength, engine.configuration.contextLength)
  }

  /// Facts about a measurement over windows of `context` tokens: a warning where the model never saw so many.
  private func warnings(_ section: String, context: Int) -> [String: String] {
    let trained = engine.configuration.contextLength
    guard context > trained else { return [:] }
    return [
      Warnings.key(section):
        "windows of \(context) tokens are longer than the \(trained) that the model was "
        + "trained with: the figure is about positions it never saw, not about the text"
    ]
  }

  func perplexity(
    _ measure: PerplexityMeasure, data: InputIdentity, progress: (Double) -> Void
  ) throws -> Measured {
    let method = try PerplexityProtocol(
      name: measure.protocolName, context: measure.context, stride: measure.stride,
      longest: longestWindow)
    let text = try dataset(data)
    let result = try withoutActuallyEscaping(progress) { progress in
      try Perplexity.measure(
        engine, text: text.text, method: method, limit: measure.chunks,
        parseSpecial: text.writesControlTokens
      ) {
        progress($0.fraction)
      }
    }
    var metrics: [String: Double] = [
      "value": result.perplexity.value, "error": result.perplexity.error,
      "nll": result.meanNLL.value, "nll_error": result.meanNLL.error,
      "tokens": Double(result.scoredTokens), "chunks": Double(result.chunks),
      "context": Double(method.context), "seconds": result.seconds,
    ]
    if let bits = result.bitsPerByte { metrics["bits_per_byte"] = bits }
    metrics["nll_window_error"] = result.meanNLLWindowError ?? .nan
    metrics["window_error"] = result.perplexityWindowError ?? .nan
    if let loop = result.documentedLoopNLL { metrics["documented_loop_nll"] = loop }
    if let floor = try text.floor(by: engine.tokenizer) {
      metrics["floor"] = exp(floor)
      metrics["floor_nll"] = floor
      metrics["floor_bits_per_byte"] = text.floorBitsPerByte
      metrics["above_floor"] = result.meanNLL.value - floor
      metrics["above_floor_error"] = result.meanNLL.error
      metrics["above_floor_window_error"] = result.meanNLLWindowError ?? .nan
    }
    return Measured(
      metrics: metrics, facts: warnings("perplexity", context: method.context))
  }

  /// This session as a model whose logits are kept, so that it is run once for many comparisons.
  fileprivate var asReference: any LanguageModel {
    if let recorded { return recorded }
    let model = RecordedLogits(engine)
    recorded = model
    return model
  }

  func divergence(
    _ measure: DivergenceMeasure, from reference: any VariantSession, data: InputIdentity,
    progress: (Double) -> Void
  ) throws -> Measured {
    guard let reference = reference as? LabSession else {
      throw LabError(.internalError, "a reference of another kind")
    }
    let method = try PerplexityProtocol(
      name: "llama.cpp", context: measure.context,
      longest: min(longestWindow, reference.longestWindow))
    let text = try dataset(data)
    let result = try withoutActuallyEscaping(progress) { progress in
      try DivergenceMeasurement().measure(
        variant: engine, reference: reference.asReference, text: text.text, method: method,
        limit: measure.chunks, parseSpecial: text.writesControlTokens
      ) { progress($0.fraction) }
    }
    var metrics: [String: Double] = [
      "kld.mean": result.meanDivergence.value, "kld.error": result.meanDivergence.error,
      "same_top.share": result.sameTopShare.value, "same_top.error": result.sameTopShare.error,
      "delta_p.mean": result.meanProbabilityChange.value,
      "delta_p.rms": result.rmsProbabilityChange.value,
      "delta_p.rms_error": result.rmsProbabilityChange.error,
      "log_ppl_ratio.value": result.comparison.logRatio.value,
      "log_ppl_ratio.error": result.comparison.logRatio.error,
      "tokens": Double(result.scoredTokens), "context": Double(method.context),
    ]
    for (name, fraction) in [
      ("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1), ("p01", 0.01), ("min", 0),
    ] {
      metrics["kld.\(name)"] = result.divergence(quantile: fraction)
    }
    metrics["delta_p.error"] = result.meanProbabilityChange.error
    metrics["chunks"] = Double(result.chunkCounts.count)
    if let interval = result.sameTopInterval {
      metrics["same_top.share_lower"] = interval.lower
      metrics["same_top.share_upper"] = interval.upper
    }
    let errors = result.windowErrors
    metrics["kld.window_error"] = errors?.meanDivergence ?? .nan
    metrics["same_top.window_error"] = errors?.sameTopShare ?? .nan
    metrics["delta_p.window_error"] = errors?.meanProbabilityChange ?? .nan
    metrics["delta_p.rms_window_error"] = errors?.rmsProbabilityChange ?? .nan
    metrics["log_ppl_ratio.window_error"] = errors?.logRatio ?? .nan
    let buckets = result.byPosition(buckets: 32)
    let series = Series(columns: [
      "position": buckets.map(\.position), "kld": buckets.map(\.mean.value),
      "error": buckets.map(\.mean.error),
      "window_error": buckets.map { $0.windowError ?? .nan },
      "tokens": buckets.map { Double($0.count) },
    ])
    return Measured(
      metrics: metrics, series: ["by_position": series],
      facts: warnings("divergence", context: method.context))
  }

  func tasks(
    _ measure: TasksMeasure, data: InputIdentity, progress: (Double) -> Void
  ) throws -> Measured {
    guard let questions = questions(data.key) else {
      throw LabError(.internalError, "the questions were not kept", at: data.path)
    }
    let result = try withoutActuallyEscaping(progress) { progress in
      try TaskEvaluation.measure(engine, tasks: questions.tasks, split: measure.split) {
        progress($0.fraction)
      }
    }
    return TaskFigures.measured(result)
  }

  // MARK: Weights and speed

  func weights(progress: (Double) -> Void) throws -> Measured {
    let resolver = try LayerResolver(
      checkpoint: checkpoint, selection: engine.selection, lab: lab)
    let bytes = Dictionary(
      engine.layers.map { ($0.name, statedBytes($0)) }, uniquingKeysWith: { first, _ in first })
    var layers: [WeightStatistics] = []
    var codeBits = 0.0
    let count = engine.configuration.layers
    for layer in 0..<count {
      for role in LinearRole.allCases {
        try Interruption.check()
        let resolved = try resolver.resolve(role, layer: layer)
        let original = resolved.source.weights.dequantized()
        // A view does not keep its matrix alive.
        let statistics = try withExtendedLifetime(original) {
          try WeightStatistics(
            name: resolved.name, original: original.view, quantized: resolved.weights,
            packedBytes: bytes[resolved.name] ?? 0)
        }
        layers.append(statistics)
        codeBits += Self.codeBits(resolved.weights, levels: statistics.levels.count)
      }
      progress(Double(layer + 1) / Double(max(count, 1)))
    }
    let total = WeightStatistics(name: "all", total: layers)
    var metrics: [String: Double] = [
      "mse": total.meanSquaredError, "sqnr_db": total.signalToNoise, "cosine": total.cosine,
      "zero_share": total.zeroShare, "bits_per_weight": total.bitsPerWeight,
      "bytes": Double(total.bytes), "count": Double(total.count),
      "code_bits_per_weight": codeBits / Double(max(total.count, 1)),
    ]
    if let entropy = total.entropy { metrics["entropy_bits"] = entropy }
    let series = Series(
      labels: layers.map(\.name),
      columns: [
        "sqnr_db": layers.map(\.signalToNoise), "zero_share": layers.map(\.zeroShare),
        "mse": layers.map(\.meanSquaredError), "bits_per_weight": layers.map(\.bitsPerWeight),
        "entropy_bits": layers.map { $0.entropy ?? .nan },
      ])
    return Measured(metrics: metrics, series: ["layers": series])
  }

  /// Bits that the codes and float32 scales of a layer hold, whatever kernel runs them: log₂ 3 for a
  /// trit, 1 where no weight is zero, `bits` for an integer, 32 for a float.
  private static func codeBits(_ weights: QuantizedWeights, levels: Int) -> Double {
    let count = Double(weights.rows * weights.columns)
    switch weights {
    case .dense: return 32 * count
    case .ternary(let matrix):
      return log2(Double(max(levels, 2))) * count + 32 * Double(matrix.scales.count)
    case .integer(let matrix):
      return Double(matrix.bits) * count + 32 * Double(matrix.scales.count)
    }
  }
}

/// The median of a few samples and their median absolute deviation: robust against one bad sample.
struct Robust {
  let median: Double
  let deviation: Double
  let best: Double

  init(_ samples: [Double]) {
    median = Self.median(samples)
    let middle = median
    deviation = Self.median(samples.map { abs($0 - middle) })
    best = samples.max() ?? 0
  }

  private static func median(_ samples: [Double]) -> Double {
    guard !samples.isEmpty else { return 0 }
    let sorted = samples.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

/// A model that remembers the logits it has given, as far as memory allows: the reference is run once and
/// compared with many variants.
final class RecordedLogits: LanguageModel {
  private struct Run {
    var tokens: [Int]
    var first: Int
    var logits: [Float]
  }

  /// Bytes of logits that are kept; what goes beyond is computed again each time.
  static let limit = 512 << 20

  private let model: any LanguageModel
  private var runs: [Run] = []
  private var bytes = 0

  init(_ model: any LanguageModel) { self.model = model }

  var tokenizer: any Tokenizer { model.tokenizer }
  var vocabularySize: Int { model.vocabularySize }
  var contextLength: Int { model.contextLength }

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

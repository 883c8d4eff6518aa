internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritKernels
internal import TritModel
internal import TritSampling
internal import TritTokenization

/// Measures real models with the engine.
final class LabBackend: ExperimentBackend {
  let registries: StageRegistries
  private var texts: [String: TextDataset] = [:]
  private var questions: [String: TaskDataset] = [:]
  private var checkpoint: (path: String, value: Checkpoint)?
  /// The tokenizer of every model, where the experiment names one.
  private var tokenizer: String?

  init(registries: StageRegistries) { self.registries = registries }

  func use(tokenizer: PathReference) throws {
    let path = tokenizer.isName ? try ModelLocation.resolve(tokenizer.path) : tokenizer.path
    _ = try TokenizerLoader.load(path: path)
    self.tokenizer = path
  }

  func identify(model: PathReference) throws -> InputIdentity {
    let path = try ModelLocation.resolve(model.path)
    // A model that cannot be read is a problem of the file that names it, not of every variant.
    let outside = try checkpoint(path).outsideTokenizer
    var identity = try identify(model, at: path)
    if let outside {
      // A tokenizer outside the model changes what is measured as much as the weights do.
      let tokenizer =
        ModelLocation.isDirectory(outside)
        ? try FileDigest.hex(folder: outside, files: Self.deciding(outside))
        : try FileDigest.hex(outside)
      identity.digest = SHA256.hex("\(identity.digest) tokenizer \(tokenizer)")
    }
    return identity
  }

  private func identify(_ model: PathReference, at path: String) throws -> InputIdentity {
    guard ModelLocation.isDirectory(path) else {
      return InputIdentity(
        name: model.text, path: path, digest: try FileDigest.hex(path), bytes: Self.size(path))
    }
    let files = try Self.deciding(path)
    return InputIdentity(
      name: model.text, path: path, digest: try FileDigest.hex(folder: path, files: files),
      bytes: files.reduce(0) { $0 + Self.size(path + "/" + $1) })
  }

  /// The files of a folder that decide the model's behaviour: weights, configuration, tokenizer; not its read-me.
  private static func deciding(_ folder: String) throws -> [String] {
    let endings = [".json", ".safetensors", ".model", ".gguf", ".tiktoken"]
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { name in endings.contains { name.hasSuffix($0) } && !name.hasPrefix("expected.") }
      .sorted()
  }

  func identify(data: PathReference, field: String?) throws -> InputIdentity {
    let isFile = FileManager.default.fileExists(atPath: data.path)
    // What is no file may be a data set's name, looked up below TRITLAB_DATA.
    var known = isFile ? data.path : data.text
    if let field { known += ":\(field)" }
    let text = try TextDataset.load(known)
    texts[text.digest] = text
    return InputIdentity(
      name: data.text, path: text.sources.first ?? known, digest: text.digest,
      bytes: text.byteCount)
  }

  func identify(tasks: TasksMeasure) throws -> InputIdentity {
    let data = try TaskDataset.load(tasks.data.path, limit: tasks.limit)
    questions[data.digest] = data
    return InputIdentity(
      name: tasks.data.text, path: tasks.data.path, digest: data.digest, bytes: data.byteCount)
  }

  func load(_ request: SessionRequest) throws -> any VariantSession {
    OpenBLASRuntime.start()
    let start = ContinuousClock.now
    let checkpoint = try checkpoint(request.model.path)
    let engine = try Engine(
      checkpoint: checkpoint, selection: request.settings.selection, registries: registries,
      options: EngineOptions(threads: request.threads, maxContext: request.context))
    return LabSession(
      engine: engine, checkpoint: checkpoint, registries: registries,
      loadSeconds: (ContinuousClock.now - start) / .seconds(1), texts: { [self] in texts[$0] },
      questions: { [self] in questions[$0] })
  }

  /// The checkpoint, opened once while the variants share it.
  func checkpoint(_ path: String) throws -> Checkpoint {
    if let checkpoint, checkpoint.path == path { return checkpoint.value }
    let value = try Checkpoint(
      path: path, tokenizer: tokenizer, packings: registries.packings)
    checkpoint = (path, value)
    return value
  }

  private static func size(_ path: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }
}

/// An engine and what is measured on it.
final class LabSession: VariantSession {
  let engine: Engine
  let checkpoint: Checkpoint
  let registries: StageRegistries
  private let loadSeconds: Double
  private let texts: (_ digest: String) -> TextDataset?
  private let questions: (_ digest: String) -> TaskDataset?
  private var recorded: RecordedLogits?

  init(
    engine: Engine, checkpoint: Checkpoint, registries: StageRegistries, loadSeconds: Double,
    texts: @escaping (String) -> TextDataset?, questions: @escaping (String) -> TaskDataset?
  ) {
    self.engine = engine
    self.checkpoint = checkpoint
    self.registries = registries
    self.loadSeconds = loadSeconds
    self.texts = texts
    self.questions = questions
  }

  var facts: [String: String] {
    func list(_ values: [String]) -> String {
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
    var facts = [
      "kernels": list(engine.layers.map(\.kernel)), "weights": list(engine.layers.map(\.form)),
      "provenance": list(engine.layers.map(\.provenance)),
      "activations": list(engine.layers.map(\.activations)), "head": engine.headReport.kernel,
      "context": "\(engine.contextLength) of \(engine.configuration.contextLength)",
    ]
    if !engine.notes.isEmpty { facts["tokenizer"] = engine.notes.joined(separator: "; ") }
    return facts
  }

  var figures: [String: Double] {
    let parameters = engine.layers.reduce(0) { $0 + $1.rows * $1.columns }
    let bytes = engine.layers.reduce(0) { $0 + $1.bytes }
    let tables = checkpoint.tiesEmbeddings ? 1 : 2
    var figures = [
      "linear_parameters": Double(parameters), "linear_bytes": Double(bytes),
      "bits_per_weight": parameters > 0 ? 8 * Double(bytes) / Double(parameters) : 0,
      "head_bytes": Double(engine.headReport.bytes),
      "bytes_per_token": Double(engine.weightBytes),
      "cache_bytes_per_position": Double(engine.cacheBytesPerPosition),
      "load_seconds": loadSeconds,
      // The few gains of the norms are not counted.
      "parameters": Double(
        parameters + tables * engine.vocabularySize * engine.configuration.hiddenSize),
    ]
    figures.merge(TrainingFigures.of(checkpoint.path)) { $1 }
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
    engine.resetTimes()
    for (index, prompt) in measure.prompts.enumerated() {
      let count = Double(measure.prompts.count)
      progress(Double(index) / count)
      let (text, result) = try engine.generate(text: prompt, options: options)
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
    guard let text = texts(data.digest) else {
      throw LabError(.internalError, "a text was not kept", at: data.path)
    }
    return text
  }

  /// The protocol with the context asked for, or the longest up to its default that the model allows.
  private func method(
    _ name: String, context: Int?, stride: Int?, longest: Int
  ) throws -> PerplexityProtocol {
    let standard = try PerplexityProtocol(name: name)
    return try PerplexityProtocol(
      name: name, context: context ?? min(standard.context, longest), stride: stride)
  }

  func perplexity(
    _ measure: PerplexityMeasure, data: InputIdentity, progress: (Double) -> Void
  ) throws -> Measured {
    let method = try method(
      measure.protocolName, context: measure.context, stride: measure.stride,
      longest: engine.contextLength)
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
    if let floor = try text.floor(by: engine.tokenizer) {
      metrics["floor"] = exp(floor)
      metrics["floor_nll"] = floor
      metrics["above_floor"] = result.meanNLL.value - floor
      metrics["above_floor_error"] = result.meanNLL.error
    }
    return Measured(metrics: metrics)
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
    let method = try method(
      "llama.cpp", context: measure.context, stride: nil,
      longest: min(engine.contextLength, reference.engine.contextLength))
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
    let buckets = result.byPosition(buckets: 32)
    let series = Series(columns: [
      "position": buckets.map(\.position), "kld": buckets.map(\.mean.value),
      "error": buckets.map(\.mean.error), "tokens": buckets.map { Double($0.count) },
    ])
    return Measured(metrics: metrics, series: ["by_position": series])
  }

  func tasks(
    _ measure: TasksMeasure, data: InputIdentity, progress: (Double) -> Void
  ) throws -> Measured {
    guard let questions = questions(data.digest) else {
      throw LabError(.internalError, "the questions were not kept", at: data.path)
    }
    let result = try withoutActuallyEscaping(progress) { progress in
      try TaskEvaluation.measure(engine, tasks: questions.tasks) { progress($0.fraction) }
    }
    let total = result.total
    let kinds = result.kinds
    return Measured(
      metrics: [
        "accuracy": total.accuracy.value, "accuracy_error": total.accuracy.error,
        "accuracy_norm": total.normalizedAccuracy.value,
        "accuracy_norm_error": total.normalizedAccuracy.error, "chance": total.chance,
        "count": Double(total.count), "truncated": Double(result.truncated),
        "tokens_run": Double(result.tokensRun), "seconds": result.seconds,
      ],
      series: [
        "kinds": Series(
          labels: kinds.map { $0.kind ?? "" },
          columns: [
            "count": kinds.map { Double($0.count) }, "chance": kinds.map(\.chance),
            "accuracy": kinds.map(\.accuracy.value), "error": kinds.map(\.accuracy.error),
            "accuracy_norm": kinds.map(\.normalizedAccuracy.value),
            "error_norm": kinds.map(\.normalizedAccuracy.error),
          ])
      ])
  }

  // MARK: Weights and speed

  func weights(progress: (Double) -> Void) throws -> Measured {
    let resolver = try LayerResolver(
      checkpoint: checkpoint, selection: engine.selection, registries: registries)
    let bytes = Dictionary(
      engine.layers.map { ($0.name, $0.bytes) }, uniquingKeysWith: { first, _ in first })
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

  func speed(_ measure: SpeedMeasure, progress: (Double) -> Void) throws -> Measured {
    let needed = measure.prompt + measure.tokens
    guard needed <= engine.contextLength else {
      throw LabError(
        .usage, "prompt and tokens do not fit the context", at: "measure.speed",
        expected: "prompt + tokens ≤ \(engine.contextLength)", got: "\(needed)",
        advice: "lower measure.speed.prompt or .tokens, or raise 'context'")
    }
    // Speed depends on shapes, not on what the tokens say; any ids will do.
    var random = SeededRandom(seed: 1)
    let prompt = (0..<measure.prompt).map { _ in random.below(engine.vocabularySize) }
    let next = (0..<measure.tokens).map { _ in random.below(engine.vocabularySize) }
    var prefill: [Double] = []
    var decode: [Double] = []
    // The first round warms caches and workers and is not counted.
    for round in 0...measure.repetitions {
      try Interruption.check()
      engine.reset()
      let start = ContinuousClock.now
      try engine.prefill(prompt)
      let middle = ContinuousClock.now
      for token in next { try engine.decode(token) }
      let end = ContinuousClock.now
      if round > 0 {
        prefill.append(Double(measure.prompt) / max((middle - start) / .seconds(1), 1e-9))
        decode.append(Double(measure.tokens) / max((end - middle) / .seconds(1), 1e-9))
      }
      progress(Double(round + 1) / Double(measure.repetitions + 1))
    }
    engine.reset()
    let decodeRate = Robust(decode)
    var metrics = [
      "decode.gigabytes_per_second": decodeRate.median * Double(engine.weightBytes) * 1e-9
    ]
    for (name, rate) in [("prefill", Robust(prefill)), ("decode", decodeRate)] {
      metrics["\(name).tokens_per_second"] = rate.median
      metrics["\(name).tokens_per_second_mad"] = rate.deviation
      metrics["\(name).best_tokens_per_second"] = rate.best
    }
    if measure.roofs { metrics.merge(roofs()) { $1 } }
    return Measured(
      metrics: metrics,
      series: ["samples": Series(columns: ["prefill": prefill, "decode": decode])])
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

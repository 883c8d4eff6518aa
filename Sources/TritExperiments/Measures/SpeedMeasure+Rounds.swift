internal import Foundation
internal import TritCore
package import TritEvaluation
internal import TritKernels
internal import TritModel

/// A session whose speed can be measured in rounds, beside others.
package protocol InterleavedSpeed: VariantSession {
  /// Bytes that it holds.
  var heldBytes: Int { get }
  /// Processes that want a core now, on average; nil where the system does not tell.
  var loadAverage: Double? { get }
  /// Runs the workload once, not timed.
  func warmUp(_ measure: SpeedMeasure) throws
  /// Runs the workload once, timed.
  func round(_ measure: SpeedMeasure) throws -> SpeedRound
  /// The figures of all rounds; `sessions` took turns.
  func speed(_ measure: SpeedMeasure, rounds: [SpeedRound], sessions: Int) throws -> Measured
}

/// One repetition of the workload of `measure.speed`.
package struct SpeedRound: Sendable {
  /// Prompt tokens a second.
  package var prefill: Double
  /// New tokens a second.
  package var decode: Double
  /// What the machine gave meanwhile.
  package var load: MachineLoad
  /// Load average before the first round, where the system tells.
  package var average: Double?

  package init(prefill: Double, decode: Double, load: MachineLoad, average: Double? = nil) {
    self.prefill = prefill
    self.decode = decode
    self.load = load
    self.average = average
  }
}

extension SpeedMeasure {
  /// Measures `sessions` in rounds: one repetition of each, then the next of each, so that a change
  /// of the machine meets all of them. Throws what a session throws.
  package func rounds(
    _ sessions: [any InterleavedSpeed], progress: (Double) -> Void
  ) throws -> [Measured] {
    let average = sessions.first?.loadAverage
    let steps = Double((repetitions + 1) * max(sessions.count, 1))
    var done = 0.0
    func step() {
      done += 1
      progress(done / steps)
    }
    for session in sessions {
      try Interruption.check()
      try session.warmUp(self)
      step()
    }
    var rounds = sessions.map { _ in [SpeedRound]() }
    for _ in 0..<repetitions {
      for (index, session) in sessions.enumerated() {
        try Interruption.check()
        var round = try session.round(self)
        round.average = average
        rounds[index].append(round)
        step()
      }
    }
    return try zip(sessions, rounds).map {
      try $0.speed(self, rounds: $1, sessions: sessions.count)
    }
  }
}

extension LabSession: InterleavedSpeed {
  /// Weights, head and the KV cache.
  var heldBytes: Int {
    engine.weightBytes + engine.cacheBytesPerPosition * engine.contextLength
  }

  var loadAverage: Double? { MachineLoad.average }

  /// Speed depends on shapes, not on what the tokens say; any ids will do.
  private func tokens(_ measure: SpeedMeasure) throws -> (prompt: [Int], next: [Int]) {
    let needed = measure.prompt + measure.tokens
    guard needed <= engine.contextLength else {
      throw LabError(
        .usage, "prompt and tokens do not fit the context", at: "measure.speed",
        expected: "prompt + tokens ≤ \(engine.contextLength)", got: "\(needed)",
        advice: "lower measure.speed.prompt or .tokens, or raise 'context'")
    }
    var random = SeededRandom(seed: 1)
    let prompt = (0..<measure.prompt).map { _ in random.below(engine.vocabularySize) }
    return (prompt, (0..<measure.tokens).map { _ in random.below(engine.vocabularySize) })
  }

  func warmUp(_ measure: SpeedMeasure) throws {
    let (prompt, next) = try tokens(measure)
    engine.reset()
    try engine.prefill(prompt)
    for token in next { try engine.decode(token) }
    engine.reset()
  }

  func round(_ measure: SpeedMeasure) throws -> SpeedRound {
    let (prompt, next) = try tokens(measure)
    // Another variant may have just had the caches, and its idle threads spin for a while.
    engine.reset()
    try engine.decode(prompt[0])
    engine.reset()
    var (prefill, decode) = (0.0, 0.0)
    let (_, load) = try MachineLoad.during {
      let start = ContinuousClock.now
      try engine.prefill(prompt)
      let middle = ContinuousClock.now
      for token in next { try engine.decode(token) }
      let end = ContinuousClock.now
      prefill = Double(measure.prompt) / max((middle - start) / .seconds(1), 1e-9)
      decode = Double(measure.tokens) / max((end - middle) / .seconds(1), 1e-9)
    }
    engine.reset()
    return SpeedRound(prefill: prefill, decode: decode, load: load)
  }

  func speed(
    _ measure: SpeedMeasure, rounds: [SpeedRound], sessions: Int
  ) throws -> Measured {
    var measured = SpeedFigures.measured(rounds, sessions: sessions)
    if engine.readsAllWeights, let decode = SampleStatistics(rounds.map(\.decode)) {
      measured.metrics["decode.gigabytes_per_second"] =
        decode.median * Double(engine.weightBytes) * 1e-9
    }
    if measure.roofs { measured.metrics.merge(roofs()) { $1 } }
    measured.facts["speed ran with"] =
      "\(Self.counted(engine.layers.map(\.kernel))), head \(engine.headReport.kernel), "
      + "cache \(engine.cacheName)"
    return measured
  }
}

extension LabSession {
  /// What the machine allows at most, measured now: prompt tokens by the products
  /// of the linear layers over the peak of the arithmetic that each runs, new tokens by how fast as
  /// many bytes as one token needs are read as a rule (the median of many samples) from where they
  /// lie (a small model's from a cache). Attention and the head's products are not in it.
  private func roofs() -> [String: Double] {
    let meter = PeakMeter(threads: engine.threads)
    let products = SpeedRoof.products(of: engine.layers) { meter.peak($0, seconds: 0.05) }
    let bytes = engine.weightBytes
    // Kernels that leave out what is zero pass under any roof of the whole product.
    guard let products, bytes > 0, engine.readsAllWeights else { return [:] }
    let reading = meter.read(bytes: bytes, seconds: 0.2).medianBytesPerSecond
    return [
      "prefill.roof_tokens_per_second": products.rate,
      "decode.roof_tokens_per_second": reading / Double(bytes),
    ]
  }
}

/// A record's figures of speed.
package enum SpeedFigures {
  /// Median, deviation and best of the rounds, and whether the machine was this program's
  /// meanwhile.
  package static func measured(_ rounds: [SpeedRound], sessions: Int) -> Measured {
    var metrics = ["rounds": Double(rounds.count), "round_variants": Double(sessions)]
    for (name, rates) in [
      ("prefill", rounds.map(\.prefill)), ("decode", rounds.map(\.decode)),
    ] {
      guard let rate = SampleStatistics(rates) else { continue }
      metrics["\(name).tokens_per_second"] = rate.median
      metrics["\(name).tokens_per_second_mad"] = rate.medianDeviation
      metrics["\(name).best_tokens_per_second"] = rate.maximum
    }
    let load = rounds.reduce(MachineLoad()) { $0 + $1.load }
    let average = rounds.first?.average
    let judged = [("prefill", rounds.map(\.prefill)), ("decode", rounds.map(\.decode))].map {
      name, rates in
      (name, SpeedDisturbance(load, rates: rates, average: average))
    }
    var reasons: [String] = []
    for (name, disturbance) in judged {
      metrics["\(name).spread"] = disturbance.spread
      for reason in disturbance.reasons where !reasons.contains(reason) {
        reasons.append(reason == disturbance.spreadReason ? "\(name): \(reason)" : reason)
      }
    }
    if let share = load.waitShare { metrics["wait_share"] = share }
    if let share = load.stolen { metrics["stolen_share"] = share }
    if let average { metrics["load_average"] = average }
    metrics["thread_share"] = load.threadShare
    metrics["disturbed"] = reasons.isEmpty ? 0 : 1
    return Measured(
      metrics: metrics,
      series: [
        "samples": Series(columns: [
          "prefill": rounds.map(\.prefill), "decode": rounds.map(\.decode),
        ])
      ],
      facts: reasons.isEmpty
        ? [:]
        : [
          Warnings.key("speed"): "others used the machine, or it was not steady: "
            + reasons.joined(separator: "; ") + "; measure again on a quiet machine"
        ])
  }
}

import Foundation
import TritCore
public import TritModel

/// Speeds of several engines measured in rounds: one repetition of each, then the next of each.
///
/// Measured one after the other, each engine would meet another machine: its clock, its neighbours
/// and its temperature change within minutes, by more than engines differ. In rounds what comes and
/// goes meets all of them.
public struct SpeedRun: Sendable, Hashable {
  /// The timings; repetition i is round i.
  public let result: SpeedResult
  /// What the machine gave during the repetitions that count.
  public let load: MachineLoad
  /// Whether that can be trusted.
  public let disturbance: SpeedDisturbance
  /// Engines that took turns, this one included.
  public let engines: Int

  /// Collects a run.
  public init(
    result: SpeedResult, load: MachineLoad, disturbance: SpeedDisturbance, engines: Int
  ) {
    self.result = result
    self.load = load
    self.disturbance = disturbance
    self.engines = engines
  }
}

extension SpeedMeasurement {
  /// Runs the repetitions on all `engines` in rounds and gives a run for each. They are reset; a
  /// warm-up of each comes before the first round. `progress` hears of every repetition.
  ///
  /// Throws a usage error for sizes that measure nothing or do not fit a context, and
  /// `interrupted`.
  public func rounds(
    _ engines: [Engine], progress: ProgressReporter? = nil
  ) throws -> [SpeedRun] {
    for engine in engines { try check(engine) }
    let average = MachineLoad.average
    let tokens = engines.map { engine -> [Int] in
      // The same tokens every time: a repetition differs from the next by nothing but noise.
      var random = SeededRandom(seed: 1)
      return (0..<positions).map { _ in random.below(engine.vocabularySize) }
    }
    var meter = ProgressMeter(
      task: "speed", total: repetitions * engines.count, report: progress)
    if warmsUp {
      for (engine, tokens) in zip(engines, tokens) {
        // One token shows the decode path to caches and branch predictors; more would only take
        // time.
        try prepare(engine, tokens)
        _ = try time(engine, tokens, generated: min(generatedTokens, 1))
      }
    }
    var samples = engines.map { _ in [UInt64]() }
    var loads = engines.map { _ in MachineLoad() }
    for _ in 0..<repetitions {
      for (index, engine) in engines.enumerated() {
        // Another engine has just had the caches, and its idle threads spin for a while.
        if engines.count > 1 {
          engine.reset()
          try engine.decode(tokens[index][0])
        }
        try prepare(engine, tokens[index])
        let (nanoseconds, load) = try MachineLoad.during {
          try time(engine, tokens[index], generated: generatedTokens)
        }
        samples[index].append(nanoseconds)
        loads[index] = loads[index] + load
        meter.advance(
          value: 1e9 * Double(promptTokens + generatedTokens) / Double(max(nanoseconds, 1)))
      }
    }
    return engines.indices.map { index in
      let result = SpeedResult(
        promptTokens: promptTokens, generatedTokens: generatedTokens, nanoseconds: samples[index])
      return SpeedRun(
        result: result, load: loads[index],
        disturbance: SpeedDisturbance(
          loads[index], rates: result.rates, average: average),
        engines: engines.count)
    }
  }

  private func check(_ engine: Engine) throws {
    guard promptTokens >= 0, generatedTokens >= 0, depth >= 0, repetitions >= 1,
      promptTokens > 0 || generatedTokens > 0
    else {
      throw LabError(
        .usage, "there is nothing to time",
        expected: "a prompt or tokens to generate, and at least one repetition",
        got: "prompt \(promptTokens), generated \(generatedTokens), repetitions \(repetitions)")
    }
    guard positions <= engine.contextLength else {
      throw LabError(
        .usage, "the test does not fit the context", expected: "at most \(engine.contextLength)",
        got: "\(depth) + \(promptTokens) + \(generatedTokens) positions",
        advice: "raise the context with -c or time fewer tokens")
    }
  }
}

/// How many things of given sizes may lie in memory side by side: as many as take turns in rounds.
public enum RoundMemory {
  /// Half of the memory that is free now, in bytes; half of all of it where the system does not
  /// tell.
  public static var limit: Int {
    let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return (kilobytes.map { $0 * 1024 } ?? HostInformation.memoryBytes) / 2
  }
}

import TritCore
import TritKernels

/// Times of one entrant on one case.
private struct ArenaTimes {
  /// Median seconds of each run that counts.
  var runs: [Double] = []
  /// Seconds of the run that is under way.
  var now: [Double] = []
  var repetitions = 0

  mutating func endRun() {
    guard !now.isEmpty else { return }
    runs.append(ArenaStatistics.median(now))
    repetitions += now.count
    now = []
  }
}

/// The few statistics that a contest needs.
package enum ArenaStatistics {
  /// The middle value; the mean of the two in the middle.
  package static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// The standard error of the mean as a share of it; infinite for fewer than three values.
  package static func relativeError(_ values: [Double]) -> Double {
    guard values.count > 2 else { return .infinity }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return mean > 0 ? (squares / (count - 1) / count).squareRoot() / mean : .infinity
  }
}

extension ArenaContest {
  /// A repetition ends a run early where the times of all are known so well.
  private static let wantedError = 0.001

  /// One layer of one entrant.
  private struct Racer {
    let index: Int
    let layer: any PreparedLinear
    let memory: [any RawMemory]
    let form: ActivationForm
  }

  /// The state of the race.
  private struct Course {
    var times: [ArenaCase: [ArenaTimes]] = [:]
    var bytes: [ArenaCase: Int] = [:]
    var arithmetic: [ArenaCase: String] = [:]
    var faults: [ArenaCase: String] = [:]
    var refused: [ArenaCase: String] = [:]
    var buffers: [ArenaCase: ArenaBuffers] = [:]
    /// Why there can be no race: a baseline does not take a shape.
    var refusal: LabError?
  }

  /// Times all cases in as many runs as were asked for, contestant and baselines in turn, and
  /// judges outputs and speeds.
  func race() {
    let entrants = [contestant] + rivals
    var course = Course()
    for one in request.cases {
      course.times[one] = [ArenaTimes](repeating: ArenaTimes(), count: entrants.count)
    }
    let shapes = request.cases.map(\.shape).reduce(into: [WeightShape]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let begin = HardwareClock.nanoseconds()
    for run in 0..<request.runs {
      phase("run \(run + 1) of \(request.runs): roofs")
      roofs.measure(
        fromMemory: request.fromMemory, seconds: min(0.02, request.budget / 100 + 0.002))
      for shape in shuffled(shapes) {
        let layers = entrants.indices.map { $0 }
        self.run(shape, shuffled(layers), entrants, run, &course)
        if let refusal = course.refusal {
          var message = ArenaMessage(.refusal)
          message.refused = ArenaMessage.Refusal(refusal)
          return emit(message)
        }
        if !course.faults.isEmpty { return finish(course) }
      }
      // A slow kernel may not finish all runs: three times the budget is the end, after one run at
      // least.
      let spent = Double(HardwareClock.nanoseconds() &- begin) * 1e-9
      if spent > 3 * request.budget + 60 { break }
    }
    finish(course)
  }

  /// All cases of one shape in one run, with weights of its own.
  private func run(
    _ shape: WeightShape, _ order: [Int], _ entrants: [Entrant], _ run: Int,
    _ course: inout Course
  ) {
    let cases = shuffled(request.cases.filter { $0.shape == shape })
    phase("run \(run + 1) of \(request.runs): \(shape)")
    let weights = ArenaWeights(shape, &random)
    var racers: [Racer] = []
    for index in order {
      do {
        let layer = try entrants[index].prepare(weights)
        racers.append(
          Racer(
            index: index, layer: layer, memory: WeightEviction.memory(of: layer),
            form: entrants[index].form))
        if index == 0 { for one in cases { course.bytes[one] = layer.weightBytes } }
      } catch {
        let words = (error as? LabError)?.what ?? "\(error)"
        if index > 0 {
          course.refusal = LabError(
            .usage, "the baseline '\(entrants[index].name)' does not take \(shape): \(words)",
            advice: "name other baselines (--against) or other shapes (--shape)")
        }
        for one in cases { course.refused[one] = words }
        return
      }
    }
    for one in cases {
      phase("run \(run + 1) of \(request.runs): \(one)")
      let buffers = course.buffers[one] ?? ArenaBuffers(shape, tokens: one.tokens)
      course.buffers[one] = buffers
      let slice = request.budget / Double(request.runs * request.cases.count)
      let begin = HardwareClock.nanoseconds()
      var told = begin
      // The first round allocates layouts and warms the code; it is checked, and does not count.
      var round = 0
      while true {
        let fault = self.round(one, weights, racers, buffers, isCounted: round > 0, &course)
        if let fault {
          course.faults[one] = fault
          return
        }
        round += 1
        let spent = Double(HardwareClock.nanoseconds() &- begin) * 1e-9
        let isKnown = (course.times[one] ?? []).allSatisfy {
          ArenaStatistics.relativeError($0.now) < Self.wantedError
        }
        if round > 1, spent >= slice || isKnown { break }
        // A slow kernel is no hanging one.
        let now = HardwareClock.nanoseconds()
        if now &- told > 500_000_000 {
          phase("run \(run + 1) of \(request.runs): \(one)")
          told = now
        }
      }
      for index in entrants.indices { course.times[one]?[index].endRun() }
    }
  }

  /// One multiply of each entrant with the same fresh activations. Gives what is wrong with the
  /// contestant's outputs.
  private func round(
    _ one: ArenaCase, _ weights: ArenaWeights, _ racers: [Racer], _ buffers: ArenaBuffers,
    isCounted: Bool, _ course: inout Course
  ) -> String? {
    buffers.fill(&random)
    var digest: ArenaWeights.Digest?
    for racer in shuffled(racers) {
      buffers.reset(racer.form)
      if request.fromMemory { runner.flush(racer.memory) }
      let span = runner.timed(racer.layer, buffers, clocks)
      clocks.count(span)
      if isCounted {
        let seconds = max(span.system * 1e-9, 1e-9)
        course.times[one]?[racer.index].now.append(seconds)
      }
      // The numbers of the digest are drawn when the first outputs are there; no kernel can aim at
      // them.
      let right = digest ?? weights.digest(buffers.x, &random)
      digest = right
      let damage = buffers.damage()
      let mismatch = weights.mismatch(buffers, right)
      if racer.index == 0 {
        if let damage { return damage }
        if let mismatch { return diagnosis(racer.layer, weights, buffers, mismatch) }
      } else if damage != nil || mismatch != nil {
        let words = damage ?? "gives wrong outputs"
        return "the baseline '\(rivals[racer.index - 1].name)' \(words): no race against it"
      }
    }
    return nil
  }

  private func shuffled<Element>(_ values: [Element]) -> [Element] {
    var copy = values
    for index in stride(from: copy.count - 1, to: 0, by: -1) {
      copy.swapAt(index, random.below(index + 1))
    }
    return copy
  }

  /// Sends the lines and judges outputs and speeds.
  private func finish(_ course: Course) {
    phase("results")
    var outputs: String?
    var floor: String?
    for one in request.cases {
      if let fault = course.faults[one] { outputs = outputs ?? "\(one): \(fault)" }
      guard let line = line(one, course) else {
        if let words = course.refused[one] {
          outputs = outputs ?? "\(one) is refused: \(words)"
        }
        continue
      }
      if let fault = roofs.fault(one, seconds: line.seconds, fromMemory: request.fromMemory) {
        floor = floor ?? fault
      }
      var message = ArenaMessage(.line)
      message.measured = line
      emit(message)
    }
    judge(.outputs, outputs)
    judge(.floor, floor)
  }

  private func line(_ one: ArenaCase, _ course: Course) -> ArenaLine? {
    guard let times = course.times[one], let own = times.first, !own.runs.isEmpty,
      let bytes = course.bytes[one]
    else { return nil }
    let seconds = ArenaStatistics.median(own.runs)
    let roof = roofs.share(one, seconds: seconds, bytes: bytes, fromMemory: request.fromMemory)
    let rivals = zip(rivals, times.dropFirst()).compactMap { rival, times -> ArenaLine.Rival? in
      guard times.runs.count == own.runs.count else { return nil }
      return ArenaLine.Rival(
        kernel: rival.name, seconds: ArenaStatistics.median(times.runs),
        ratio: ArenaStatistics.median(zip(times.runs, own.runs).map { $0 / $1 }))
    }
    let error = ArenaStatistics.relativeError(own.runs)
    let floor = roofs.fault(one, seconds: seconds, fromMemory: request.fromMemory)
    return ArenaLine(
      product: one, fromMemory: request.fromMemory, runs: own.runs.count,
      repetitions: own.repetitions, seconds: seconds, spread: error.isFinite ? error : 0,
      weightBytes: bytes, operationsPerSecond: one.operations / seconds,
      bytesPerSecond: Double(bytes) / seconds, roof: roof.name, roofShare: roof.share,
      sumsAreExact: course.faults[one] == nil, rivals: rivals, fault: course.faults[one] ?? floor)
  }
}

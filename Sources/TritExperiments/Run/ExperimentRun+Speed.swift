internal import TritCore
internal import TritEvaluation

extension ExperimentRun {
  /// Measures the speeds of `work` in rounds, while nothing else of the experiment is measured on
  /// this machine. Nothing is done where one variant alone is to be measured, or none by speed.
  func measureSpeeds(of work: [PlannedVariant]) throws {
    guard let wanted = plan.file.measure.first(SpeedMeasure.self), work.count > 1 else { return }
    let measured = try machine.during(
      alone: true,
      waiting: { [self] in
        observer(.note("speeds wait until no other run of the experiment measures on this machine"))
      }
    ) { try measureRounds(wanted, of: work) }
    speeds.merge(measured) { $1 }
  }

  /// By the variants' numbers, what came out.
  ///
  /// All variants that fit in half of the free memory are loaded side by side; more are measured in
  /// groups, each in rounds of its own. What cannot be loaded or measured is left out: it says why
  /// when its turn comes. Throws `interrupted`.
  private func measureRounds(
    _ wanted: SpeedMeasure, of work: [PlannedVariant]
  ) throws -> [Int: Measured] {
    var results: [Int: Measured] = [:]
    var waiting = work
    while !waiting.isEmpty {
      let limit = RoundMemory.limit
      var bytes = 0
      var largest = 0
      var group: [(index: Int, label: String, session: any InterleavedSpeed)] = []
      while let next = waiting.first, group.isEmpty || bytes + largest <= limit {
        waiting.removeFirst()
        do {
          try Interruption.check()
          guard let session = try session(for: next) as? any InterleavedSpeed else { continue }
          // Whoever watches learns whose turn it is.
          let watched = WatchedSpeed(session) { [self] in atWork(next, SpeedMeasure.key) }
          group.append((next.index, next.label, supervision == nil ? session : watched))
          bytes += session.heldBytes
          largest = max(largest, session.heldBytes)
        } catch let error as LabError where error.kind == .interrupted {
          throw error
        } catch { continue }
      }
      if group.count > 1 {
        observer(
          .note(
            "speed of \(group.count) variants in \(wanted.repetitions) rounds: "
              + group.map(\.label).joined(separator: ", ")))
      }
      do {
        let measured = try wanted.rounds(group.map(\.session)) { fraction in
          observer(
            .progress(
              label: "rounds", section: "speed", fraction: fraction, remaining: nil))
        }
        for (member, result) in zip(group, measured) { results[member.index] = result }
      } catch let error as LabError where error.kind == .interrupted {
        throw error
      } catch { continue }
    }
    atWork(nil)
    return results
  }
}

/// A session that says when its turn comes.
private final class WatchedSpeed: InterleavedSpeed {
  private let session: any InterleavedSpeed
  private let begin: () -> Void

  init(_ session: any InterleavedSpeed, begin: @escaping () -> Void) {
    self.session = session
    self.begin = begin
  }

  var facts: [String: String] { session.facts }
  var figures: [String: Double] { session.figures }
  var heldBytes: Int { session.heldBytes }
  var loadAverage: Double? { session.loadAverage }

  func measure(_ measure: any Measure, _ request: MeasureRequest) throws -> Measured {
    begin()
    return try session.measure(measure, request)
  }

  func warmUp(_ measure: SpeedMeasure) throws {
    begin()
    try session.warmUp(measure)
  }

  func round(_ measure: SpeedMeasure) throws -> SpeedRound {
    begin()
    return try session.round(measure)
  }

  func speed(_ measure: SpeedMeasure, rounds: [SpeedRound], sessions: Int) throws -> Measured {
    begin()
    return try session.speed(measure, rounds: rounds, sessions: sessions)
  }
}

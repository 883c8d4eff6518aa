internal import TritCore
internal import TritEvaluation

extension ExperimentRun {
  /// Measures the speeds of `work` in rounds, before anything else is measured: by the variants' numbers,
  /// what came out. Empty where one variant alone is to be measured, or none by speed.
  ///
  /// All variants that fit in half of the free memory are loaded side by side; more are measured in groups, each
  /// in rounds of its own. What cannot be loaded or measured is left out: it says why when its turn comes.
  /// Throws `interrupted`.
  func measureSpeeds(
    of work: [PlannedVariant], load: (PlannedVariant) throws -> any VariantSession,
    observer: (RunEvent) -> Void
  ) throws -> [Int: Measured] {
    guard let wanted = plan.file.measure.first(SpeedMeasure.self), work.count > 1 else {
      return [:]
    }
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
          guard let session = try load(next) as? any InterleavedSpeed else { continue }
          group.append((next.index, next.label, session))
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
    return results
  }
}

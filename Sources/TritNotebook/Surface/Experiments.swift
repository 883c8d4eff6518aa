import Foundation
public import TritCore
import TritDrawing
public import TritExperiments

/// Runs an experiment with the stages of this notebook; shows its table and its figures. `yaml` is
/// what an experiment file says; paths are relative to the notebook.
///
/// Throws `LabErrors` with all problems of the text, and what `ExperimentRunner.run` throws.
@discardableResult public func experiment(_ yaml: String, shows: Bool = true) throws -> RunOutcome {
  try runExperiment(
    yaml, file: CellContext.current.folder + "/notebook", line: 1, showing: shows)
}

@discardableResult func runExperiment(
  _ text: String, file: String, line: Int, showing: Bool
) throws -> RunOutcome {
  let progress = showing ? display("the experiment begins") : nil
  var last = 0.0
  let outcome = try ExperimentRunner.run(
    text: text, path: file, line: line,
    options: RunOptions(outputDirectory: CellContext.current.runs), lab: lab
  ) { event in
    guard let progress, let line = ExperimentProgress.line(event) else { return }
    // Readers are not served better by more.
    let now = MonotonicClock.seconds()
    guard now - last > 0.2 else { return }
    last = now
    progress.update(line)
  }
  if outcome.wasInterrupted { throw LabError(.interrupted, "interrupted") }
  progress?.update(outcome.table)
  if let failed = outcome.records.first(where: { $0.status == .failed }) {
    throw LabError(
      .failure, "a variant of the experiment failed: \(failed.label)", at: "\(file):\(line)",
      got: failed.error, advice: "see its record in \(outcome.directory)")
  }
  ExperimentOutcomes.add(outcome, isShown: showing)
  if showing { outcome.showFigures() }
  return outcome
}

/// What a run looks like in a notebook.
enum ExperimentProgress {
  static func line(_ event: RunEvent) -> String? {
    switch event {
    case .started(_, let variants, let resumed):
      return "\(variants) variants\(resumed ? ", continued" : "")"
    case .variantStarted(let index, let count, let label): return "\(index) of \(count): \(label)"
    case .progress(let label, let section, let fraction, _):
      return "\(label), \(section): \(Int(100 * fraction)) %"
    default: return nil
    }
  }
}

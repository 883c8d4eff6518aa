import Foundation
import TritLab

/// `trit run` with plug-ins: the run goes on in a child, which is started again without the variant
/// that ended it.
///
/// One child does the whole run, so that speeds are measured in rounds as ever; the next one goes
/// on in the same run directory, with the speeds that its predecessor has measured.
struct RunSupervisor {
  /// The command line, the program's name left out.
  let words: [String]
  /// The plug-ins that are loaded.
  let plugins: [String]
  /// Seconds that a variant at work may be silent.
  let seconds: Double

  /// The least silence that is taken for a hang where no variant is at work: models are read,
  /// figures drawn.
  private static let leastSeconds = 120.0

  /// Runs it and gives the exit code; what it prints stands on the same streams. Throws a failure
  /// that names the plug-in where the run cannot go on without it: in the reference, or in a place
  /// that nobody knows.
  func run(allowed: [String]) throws -> Int32 {
    var handover = RunHandover()
    handover.allowed = allowed
    while true {
      var working: RunReport.AtWork?
      func limit() -> Double { working == nil ? max(seconds, Self.leastSeconds) : seconds }
      let process = try WatchedProcess([WatchedRun.word] + words, handover: handover.text)
      let outcome = process.wait(
        limit: limit,
        hear: { line in
          switch RunReport(line: line) {
          case .directory(let path)?:
            handover.directory = path
            handover.hasBegun = true
          case .atWork(let now)?: working = now
          case .speeds(let speeds)?: handover.speeds.merge(speeds) { $1 }
          case .measured(let id)?: handover.measured.append(id)
          // Processes with orders tell these, and have another watcher.
          case .progress?, .record?, .note?, nil: break
          }
        })
      if outcome.isOwn, case .exit(let code) = outcome.end { return code }
      Terminal.status("")
      if Interruption.isRequested {
        throw LabError(
          .interrupted,
          "interrupted; a plug-in did not stop by itself"
            + (handover.directory.map { "; what was measured is in \($0)" } ?? ""),
          advice: "the same command goes on from there")
      }
      var error = outcome.report.error(
        outcome.end, plugins: plugins, seconds: limit(),
        advice: "mend the file and give the same command again: what was measured stays")
      if working?.isReference == true { error.what += ", in the reference of the experiment" }
      guard let working, !working.isReference,
        !handover.failures.contains(where: { $0.id == working.id })
      else { throw error }
      handover.failures.append(
        RunHandover.Failure(id: working.id, error: "\(working.section): \(error)"))
    }
  }
}

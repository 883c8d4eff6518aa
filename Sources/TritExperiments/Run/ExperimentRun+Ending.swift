internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritModel

extension ExperimentRun {
  /// Writes the reports of what was measured.
  func finish(plots writer: PlotWriter) throws -> RunOutcome {
    try writeEnvironment(records: records)
    let report = Report(
      plan: plan, inputs: inputs, records: records, wasInterrupted: wasInterrupted,
      directory: directory.path)
    let plots = try writer.draw(plan.file.plots, report: report) { [observer] in
      observer(.note($0))
    }
    try directory.write(report.csv, to: "metrics.csv")
    let hasDifferences = !report.pairedQuantities.isEmpty
    if hasDifferences { try directory.write(report.differencesCSV, to: "differences.csv") }
    let summary = report.markdown(plots: plots)
    try directory.write(summary, to: "summary.md")
    try directory.write(report.html(plots: plots, directory: directory.path), to: "report.html")
    directory.removePartial()
    try directory.write(RunState(plan: plan.identity, isFinished: !wasInterrupted))
    return RunOutcome(
      directory: directory.path, records: records, reused: reused, wasInterrupted: wasInterrupted,
      summary: summary, published: report.published, brief: report.brief,
      files: [
        "summary.md", "report.html", "metrics.csv", "results.jsonl", "environment.json",
        "experiment.yaml",
      ] + (hasDifferences ? ["differences.csv", "\(SampleFile.folder)/"] : [])
        + plots.flatMap(\.files))
  }

  func writeEnvironment(records: [RunRecord]) throws {
    let environment = RunEnvironment(
      plan: plan, inputs: inputs, records: records, started: started)
    let text = String(decoding: try RecordCoding.encode(environment, pretty: true), as: UTF8.self)
    try directory.write(text + "\n", to: "environment.json")
  }
}

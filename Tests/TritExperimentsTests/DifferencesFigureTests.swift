import Foundation
import Testing
import TritExperiments
import TritLab

/// The figure of differences, which is drawn where a file says nothing of figures, and the sentence
/// made of them.
@Suite struct DifferencesFigureTests {
  private func run(_ folder: String, plots: String = "") throws -> RunOutcome {
    let backend = FakeBackend()
    backend.hasSamples = true
    try AtomicFile.write(EvidenceTests.text + plots, to: folder + "/x.yaml")
    return try ExperimentRunner.run(
      file: folder + "/x.yaml",
      options: RunOptions(
        set: ["model=m"], force: true, outputDirectory: folder + "/runs", threads: 2),
      backend: backend, environment: ProcessInfo.processInfo.environment, observer: { _ in })
  }

  @Test(.enabled(if: FigureLayoutTests.gnuplot != nil, "gnuplot is not installed"))
  func differencesAreTheFigureOfAFileThatAsksForNone() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder)
      #expect(outcome.files.filter { $0.hasPrefix("plots/") }.count == 5, "\(outcome.files)")
      let picture = try FigurePicture(path: outcome.directory + "/plots/differences.svg")
      #expect(picture.faults().isEmpty, "\(picture.faults())")
      let texts = picture.texts.map(\.text)
      #expect(texts.contains { $0.hasPrefix("Perplexity: difference in %") }, "\(texts)")
      #expect(texts.contains("dashed line: reference, the baseline"))
      // What stands in the table stands in the figure: the same differences, the same verdicts.
      let rows = try String(
        contentsOfFile: outcome.directory + "/differences.csv", encoding: .utf8
      )
      .split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
      let drawn = try String(
        contentsOfFile: outcome.directory + "/plots/differences.tsv", encoding: .utf8
      )
      .split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { $0.split(separator: "\t").map(String.init) }
      #expect(rows.count == drawn.count && !rows.isEmpty)
      for row in rows {
        #expect(drawn.contains { $0[6] == row[5] && $0[9] == row[0] }, "\(row)")
      }
      // One line at zero in each panel, and a symbol for each row beside those of the legend.
      #expect(picture.symbols.count == rows.count + 3)
      // `plots: []` draws nothing.
      let none = try run(folder, plots: "\nplots: []\n")
      #expect(!none.files.contains { $0.hasPrefix("plots/") })
    }
  }

  @Test func theAnswerSaysWhatCanBeToldApart() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder, plots: "\nplots: []\n")
      let page = try String(
        contentsOfFile: outcome.directory + "/report.html", encoding: .utf8)
      let begin = try #require(page.range(of: "<p class=\"answer\">"))
      let sentence = String(page[begin.upperBound...].prefix { $0 != "<" })
      #expect(sentence.contains("the lowest perplexity of 3 variants: "), "\(sentence)")
      #expect(sentence.contains(" against reference"), "\(sentence)")
      // Each variant stands under one verdict, with its difference.
      let list = page[begin.upperBound...].prefix(2000)
      let verdicts = [
        "Better than reference: ", "Worse than reference: ", "Not told apart from reference: ",
        "Identical to reference: ",
      ]
      let named = verdicts.compactMap { verdict in
        list.range(of: verdict).map { String(list[$0.upperBound...].prefix { $0 != "<" }) }
      }.joined(separator: ", ")
      for label in ["f32", "f16", "int8"] {
        #expect(named.components(separatedBy: "\(label) (").count == 2, "\(named)")
      }
    }
  }
}

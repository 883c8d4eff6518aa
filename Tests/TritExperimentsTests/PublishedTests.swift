import Foundation
import Testing
import TritLab

import TritExperiments

/// Published figures beside what is measured: within the tolerance, outside it, not at hand.
@Suite struct PublishedTests {
  /// Variants of the fake backend, whose perplexity is 5 and something; the figure of each.
  private func text(_ value: Double, tolerance: Double = 0.5, more: String = "") -> String {
    """
    name: published
    reference: none
    variants:
      - name: here
        model: m
        published:
          - {metric: perplexity.value, value: \(value), tolerance: \(tolerance), source: "made up"}
    \(more)
      - name: elsewhere
        model: missing
        published:
          - {metric: perplexity.value, value: 1, tolerance: 0.1, source: "made up"}
    measure:
      perplexity: {data: t.txt}
      tasks: {}
    plots: []

    """
  }

  private func run(
    _ folder: String, _ text: String, backend: FakeBackend = FakeBackend()
  ) throws -> RunOutcome {
    backend.hasSamples = true
    try AtomicFile.write(text, to: folder + "/x.yaml")
    return try ExperimentRunner.run(
      file: folder + "/x.yaml",
      options: RunOptions(outputDirectory: folder + "/runs", threads: 2), backend: backend,
      environment: [:])
  }

  @Test func whatLiesWithinPassesAndWhatIsMissingIsAbsent() throws {
    try withTemporaryFolder { folder in
      let measured = try run(folder, text(0, tolerance: 1e9))
      let value = try #require(measured.published.first?.measured)
      #expect(value == measured.records.first?.metrics["perplexity.value"])
      let pass = try run(folder, text(value + 0.4))
      #expect(pass.published.map(\.verdict) == [.pass, .absent] && pass.exitCode == 0)
      #expect(pass.published.last?.reason.contains("there is no such model") == true)
      #expect(pass.summary.contains("## Published figures"))
      #expect(pass.summary.contains("1 PASS, 0 FAIL, 1 absent"))
      #expect(pass.brief.notes.contains { $0.hasPrefix("PASS here, perplexity.value") })
      let html = try String(contentsOfFile: pass.directory + "/report.html", encoding: .utf8)
      #expect(html.contains("Published figures") && html.contains("absent"))
      let fail = try run(folder, text(value + 0.6))
      #expect(fail.published.map(\.verdict) == [.fail, .absent] && fail.exitCode == 2)
    }
  }

  /// Only what tells a figure is measured: here no tasks.
  @Test func sectionsWithoutAFigureAreNotMeasured() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder, text(5, tolerance: 100))
      let record = try #require(outcome.records.first)
      #expect(outcome.records.count == 1)
      #expect(record.metrics["perplexity.value"] != nil && record.metrics["tasks.accuracy"] == nil)
    }
  }

  /// A figure that a record lacks has not been met.
  @Test func aFigureThatNobodyHasFails() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(
        folder,
        text(
          5, tolerance: 100,
          more:
            "      - {metric: perplexity.valu, value: 5, tolerance: 1, source: \"made up\"}"))
      #expect(outcome.published.map(\.verdict) == [.pass, .fail, .absent])
      #expect(outcome.published[1].reason.contains("perplexity.value"))
      #expect(outcome.exitCode == 2)
    }
  }

  /// Of some windows the figure is that of their losses: exp of the mean weighted by tokens.
  @Test func theFirstWindowsHaveAFigureOfTheirOwn() throws {
    try withTemporaryFolder { folder in
      func figure(_ windows: Int) -> String {
        "      - {metric: perplexity.value, windows: \(windows), value: 5, tolerance: 1e9, source: x}"
      }
      let outcome = try run(folder, text(5, tolerance: 1e9, more: figure(3)))
      let place = try #require(outcome.records.first?.samples)
      let table = try #require(
        try SampleFile.read(outcome.directory + "/" + place)["perplexity"])
      let (loss, tokens) = (
        try #require(table.columns["loss"]), try #require(table.columns["tokens"])
      )
      let sum = zip(loss, tokens).prefix(3).reduce(0) { $0 + $1.0 * $1.1 }
      let expected = exp(sum / tokens.prefix(3).reduce(0, +))
      #expect(outcome.published[1].measured == expected)
      let beyond = try run(folder, text(5, tolerance: 1e9, more: figure(10_000)))
      #expect(beyond.published[1].verdict == .fail)
    }
  }

  /// Where all variants have published figures, a text may be absent too; else it is a problem.
  @Test func textsMayBeAbsentToo() throws {
    try withTemporaryFolder { folder in
      let backend = FakeBackend()
      backend.missingTexts = true
      let outcome = try run(folder, text(5), backend: backend)
      #expect(outcome.published.map(\.verdict) == [.absent, .absent] && outcome.exitCode == 0)
      #expect(outcome.summary.contains("measure.perplexity"))
      let mixed = text(5).replacingOccurrences(
        of: "measure:", with: "  - {name: other, model: m, cache: f16}\nmeasure:")
      #expect(throws: LabError.self) { try run(folder, mixed, backend: backend) }
    }
  }

  @Test func mistakesAreToldWithTheirPlace() throws {
    func first(_ figure: String) -> LabError? {
      problems(
        "name: x\nmodel: m\nvariants:\n  - name: a\n    published:\n      - \(figure)\n"
          + "measure: {perplexity: {data: t}}\n"
      ).first
    }
    let unknown = first("{metric: perplexty.value, value: 1, tolerance: 1, source: x}")
    #expect(unknown?.advice?.contains("perplexity") == true, "\(String(describing: unknown))")
    #expect(unknown?.place?.contains("x.yaml:6") == true)
    let missing = first("{metric: perplexity.value, value: 1, source: x}")
    #expect(missing?.what.contains("missing") == true)
    let negative = first("{metric: perplexity.value, value: 1, tolerance: -1, source: x}")
    #expect(negative != nil)
    let windows = first("{metric: tasks.acc, windows: 3, value: 1, tolerance: 1, source: x}")
    #expect(windows?.what.contains("goes with") == true)
    #expect(first("{metric: perplexity.value, value: 1, tolerance: 1, source: x}") == nil)
  }

  /// The file of the lab: every figure has its section.
  @Test func theLabsFilePlans() throws {
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
    let plan = try ExperimentPlan(path: "\(checkout)/experiments/published.yaml")
    #expect(plan.all.allSatisfy { !$0.published.isEmpty })
    #expect(plan.all.flatMap(\.published).count >= 30)
  }
}

/// Differences that are smaller than people count zeros are told by powers of ten.
@Suite struct SmallDifferenceTests {
  @Test func tinyOnesHaveNoRowOfZeros() throws {
    try withTemporaryFolder { folder in
      let backend = FakeBackend()
      backend.hasSamples = true
      try AtomicFile.write(EvidenceTests.text, to: folder + "/x.yaml")
      let outcome = try ExperimentRunner.run(
        file: folder + "/x.yaml",
        options: RunOptions(set: ["model=m"], outputDirectory: folder + "/runs", threads: 2),
        backend: backend, environment: [:])
      let base = try SampledRecord(outcome.records[1], in: outcome.directory)
      var other = base
      // 3e-9 nats are 3e-7 % of a perplexity.
      other.tables["perplexity"]?.columns["loss"] =
        base.tables["perplexity"]?.columns["loss"]?.enumerated().map {
          $0.element + 3e-9 + 1e-10 * Double($0.offset % 3)
        }
      let quantities = Lab.standard.measures.flatMap(\.quantities).filter {
        $0.key == "perplexity"
      }
      let evidence = PairedEvidence([(other, base)], quantities: quantities)
      let row = try #require(PairedComparison.table(evidence.byQuantity.flatMap(\.list)).last)
      let value = try #require(row.first { $0.contains("%") && $0.contains("e-7") })
      #expect(value == "+3.1e-7 %", "\(row)")
      #expect(row.allSatisfy { !$0.contains("0.00000") }, "\(row)")
    }
  }
}

import Foundation
import Testing
import TritLab

import TritExperiments

/// What stands under `sweep:`: lists, ranges, grids within a choice, draws and designs.
@Suite struct SweepTests {
  private static let head = "name: t\nreference: none\nmeasure: {weights: {}}\n"

  private func labels(_ text: String) throws -> [String] {
    try ExperimentPlan(decode(Self.head + text)).variants.map(\.label)
  }

  /// Both ends belong to a range; a step that misses the end by a rounding reaches it; with
  /// `scale: log` the step is a factor, and a count divides the logarithm evenly.
  @Test(arguments: [
    ("threads: {from: 1, to: 4, step: 1}", ["1", "2", "3", "4"]),
    ("threads: {from: 1, to: 8, step: 3}", ["1", "4", "7"]),
    ("threads: {from: 1, to: 64, step: 4, scale: log}", ["1", "4", "16", "64"]),
    ("threads: {from: 1, to: 16, count: 3, scale: log}", ["1", "4", "16"]),
    ("threads: {from: 1, to: 8, count: 4}", ["1", "3", "6", "8"]),
    ("threads: [1, {from: 2, to: 4, step: 2}]", ["1", "2", "4"]),
  ])
  func rangesOfWholeNumbers(axis: String, values: [String]) throws {
    let words = values.map { $0 == "1" ? "1 thread" : "\($0) threads" }
    #expect(try labels("sweep: {\(axis)}") == words)
  }

  @Test func rangesOfNumbersWithinAChoice() throws {
    let plan = try ExperimentPlan(
      decode(
        "name: t\nmeasure: {generate: {prompts: [a]}}\n"
          + "sweep: {sampler: {temperature: {from: 0.1, to: 0.7, step: 0.2}, top-k: [5, 50]}}"))
    // 0.1 + 0.2 is 0.3, not 0.30000000000000004.
    #expect(
      plan.variants.map(\.label)
        == ["0.1", "0.3", "0.5", "0.7"].flatMap { value in
          ["5", "50"].map { "temperature \(value), top-k \($0)" }
        })
    #expect(
      try labels("sweep: {quantizer: {name: absmean, granularity: group, group: [32, 64]}}")
        == ["absmean:granularity=group,group=32", "absmean:granularity=group,group=64"])
    #expect(
      try labels(
        "base: {quantizer: absmean}\nsweep: {quantizer: [sign, {name: absmean, granularity: group, group: "
          + "{from: 32, to: 128, step: 2, scale: log}}]}"
      ).count == 4)
  }

  /// A seed is an axis like any other: it changes the id, the record's seed, and every setting that
  /// follows it.
  @Test func seedsAreAnAxis() throws {
    let plan = try ExperimentPlan(
      decode("name: t\nmeasure: {generate: {prompts: [a]}}\nsweep: {seed: [1, 2, 3]}"))
    #expect(plan.variants.map(\.label) == ["seed 1", "seed 2", "seed 3"])
    #expect(Set(plan.variants.map(\.id)).count == 3)
    try withTemporaryFolder { folder in
      try AtomicFile.write(
        "name: t\nmeasure: {generate: {prompts: [a]}}\nsweep: {seed: [1, 2]}",
        to: folder + "/x.yaml")
      let outcome = try ExperimentRunner.run(
        file: folder + "/x.yaml",
        options: RunOptions(set: ["model=m"], outputDirectory: folder + "/runs"),
        backend: FakeBackend(), environment: ["PATH": ""])
      let variants = outcome.records.filter { $0.role == .variant }
      #expect(variants.map { $0.params["seed"] } == ["1", "2"])
      #expect(variants.map { $0.params["measure.generate.seed"] } == ["1", "2"])
      #expect(Set(variants.map(\.inputs)).count == 2)
    }
  }

  @Test func aMeasureWithASeedOfItsOwnHasNoSeedsOfVariants() {
    let list = problems(
      "name: t\nmeasure: {generate: {prompts: [a], seed: 7}}\nsweep: {seed: [1, 2]}")
    #expect(list.count == 1 && list.first?.place == "x.yaml:2:42", "\(list)")
    #expect(list.first?.what.contains("measure.generate.seed") == true)
  }

  /// One factor at a time: 1 + Σ (levels − 1) variants where the centre is a level of each axis.
  @Test func oneFactorAtATime() throws {
    let axes = "sweep: {cache: [f32, f16, int8], threads: [1, 2], design: ofat}"
    #expect(
      try labels(axes) == [
        "f32 · 1 thread", "f16 · 1 thread", "int8 · 1 thread", "f32 · 2 threads",
      ])
    #expect(try labels(axes) == labels("design: one-factor-at-a-time\n" + axes.dropDesign))
    // What the base says is the centre.
    #expect(
      try labels("base: {cache: f16}\n" + axes) == [
        "f16 · 1 thread", "f32 · 1 thread", "int8 · 1 thread", "f16 · 2 threads",
      ])
  }

  @Test func drawnPointsAreAPartOfTheProductAndTheSameEachTime() throws {
    let axes = "cache: [f32, f16, int8], threads: {from: 1, to: 20, step: 1}"
    let all = try labels("sweep: {\(axes)}")
    let some = try labels("sweep: {\(axes), random: 12}")
    #expect(all.count == 60 && some.count == 12 && Set(some).count == 12)
    #expect(some == all.filter(Set(some).contains), "in the order of the product")
    #expect(try labels("sweep: {\(axes), random: 12}") == some)
    #expect(try labels("seed: 2\nsweep: {\(axes), random: 12}") != some)
    #expect(try labels("sweep: {\(axes), random: {count: 12, seed: 1}}") == some)
    // A grid that no list could hold can be drawn from.
    let huge = (1...9).map { "threads: {from: 1, to: \($0 + 900), step: 1}" }[0]
    #expect(try labels("sweep: {\(huge), seed: {from: 1, to: 900, step: 1}, random: 5}").count == 5)
    let values = try labels("sweep: {threads: {from: 1, to: 1000, random: 6, scale: log}}")
    #expect(values.count == 6 && Set(values).count == 6)
  }

  /// Each with its place and what would have been right.
  @Test(arguments: [
    ("sweep: {threads: 4}", "sweep.threads", "a list of values, or a range"),
    ("sweep: {threads: {from: 1, to: 4}}", "how many values?", "one of: step, count, random"),
    ("sweep: {threads: {from: 1, to: 4, step: 1, count: 2}}", "how many values?", "one of"),
    ("sweep: {threads: {from: 4, to: 1, step: 1}}", "sweep.threads.to", "more than 'from', 4"),
    ("sweep: {threads: {from: 1.5, to: 4, step: 1}}", "sweep.threads.from", "a whole number"),
    (
      "sweep: {threads: {from: 0, to: 4, step: 2, scale: log}}", "sweep.threads.from", "more than 0"
    ),
    (
      "sweep: {threads: {from: 1, to: 4, step: 1, scale: lg}}", "sweep.threads.scale", "linear, log"
    ),
    ("sweep: {threads: {from: 1, to: 4, step: 1, stp: 2}}", "sweep.threads.stp", "step"),
    ("sweep: {threads: {from: 1, to: 2, random: 3}}", "sweep.threads.random", "at most 2"),
    ("sweep: {threads: {to: 2, count: 2}}", "sweep.threads.from", "both ends"),
    ("sweep: {cache: {from: 1, to: 2, step: 1}}", "sweep.cache", "where a number stands"),
    ("sweep: {cache: [f16, f32], design: half}", "sweep.design", "full, one-factor"),
    ("sweep: {cache: [f16, f32], random: 0}", "sweep.random", "a whole number, 1…1000"),
    ("sweep: {cache: [f16, f32], random: 1, design: ofat}", "sweep.random", "full product"),
    ("design: ofat", "design", "a 'sweep' beside it"),
    ("sweep: {seed: [-1]}", "sweep.seed[0]", "a whole number"),
  ])
  func mistakesAreToldWithTheirPlace(text: String, path: String, expected: String) {
    let list = problems(Self.head + text)
    #expect(list.count == 1, "\(list)")
    let shown = list.first.map { "\($0)" } ?? ""
    #expect(shown.hasPrefix("x.yaml:4:"), "\(shown)")
    #expect(shown.contains(path) && shown.contains(expected), "\(shown)")
  }

  /// The schema describes what the decoder takes.
  @Test func theSchemaHasRangesAndDesigns() throws {
    let schema = try JSONReader.read(ExperimentSchema.json())
    let sweep = schema["properties"]?["sweep"]?["properties"]
    #expect(sweep?["threads"]?["anyOf"]?.array?.count == 3)
    #expect(sweep?["random"] != nil && sweep?["design"]?["oneOf"]?.array?.count == 3)
    #expect(schema["properties"]?["design"] != nil && sweep?["seed"] != nil)
    let range = schema["$defs"]?["range"]?["properties"]?.object?.map(\.key).sorted()
    #expect(range == ["count", "from", "random", "scale", "step", "to"])
  }
}

extension String {
  fileprivate var dropDesign: String { replacingOccurrences(of: ", design: ofat", with: "") }
}

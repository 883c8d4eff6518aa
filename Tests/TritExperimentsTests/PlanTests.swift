import Testing
import TritLab

import TritExperiments

@Suite struct PlanTests {
  static let head = "name: t\nmeasure: {weights: {}}\n"

  private func plan(_ text: String, set: [String] = []) throws -> ExperimentPlan {
    try ExperimentPlan(decode(text, set: set))
  }

  @Test func aSweepIsTheProductInWrittenOrderThenTheNamedVariants() throws {
    let plan = try plan(
      Self.head
        + """
        base: {quantizer: absmean}
        sweep: {cache: [f32, f16], threads: [1, 2]}
        variants: [{name: plain, quantizer: none}]
        """)
    #expect(
      plan.variants.map(\.label) == [
        "f32 · 1 thread", "f32 · 2 threads", "f16 · 1 thread", "f16 · 2 threads", "plain",
      ])
    #expect(plan.variants.map(\.index) == [0, 1, 2, 3, 4])
    #expect(plan.variants[4].settings.stages[.quantizer]?.name == "none")
    #expect(plan.variants[0].selection.quantizer?.name == "absmean")
    let lines = plan.listing.split(separator: "\n")
    #expect(lines[1].hasPrefix("1\t\(plan.variants[1].id)\tcache=f32 threads=2"))
    #expect(lines[4].hasSuffix("\tname=plain quantizer=none"))
  }

  @Test func idsDependOnTheChoicesAlone() throws {
    let first = try plan(Self.head + "sweep: {cache: [f32, f16]}")
    let second = try plan(
      "name: other\nmeasure: {speed: {}}\nseed: 9\nvariants: [{name: x, cache: f16}, "
        + "{name: y, cache: f32}, {name: z, cache: f16, threads: 1}]")
    #expect(first.variants[0].id == second.variants[1].id)
    #expect(first.variants[1].id == second.variants[0].id)
    #expect(second.variants[2].id != second.variants[0].id)
    // Written down so that a change of the scheme, which would orphan all records, is noticed.
    #expect(first.variants.map(\.id) == ["0817fd79c6", "c1c5831675"])
  }

  @Test func withoutSweepAndVariantsTheBaseIsRun() throws {
    let plan = try plan(Self.head + "base: {cache: f32}")
    #expect(plan.variants.map(\.label) == ["base"])
    #expect(plan.reference?.settings.stages[.kernel]?.name == "openblas")
    // The same network as `trit eval --reference`: BitNet masters go through absmean there.
    #expect(plan.reference?.selection.quantizer == StageSelection.reference.quantizer)
    #expect(plan.reference?.selection.activations == StageSelection.reference.activations)
    #expect(try self.plan(Self.head + "reference: none").reference == nil)
  }

  @Test func equalVariantsAndHugeProductsAreProblems() {
    let twice = problems(Self.head + "sweep: {cache: [f16]}\nvariants: [{name: a, cache: f16}]")
    #expect(twice.first?.what.contains("the same choices as variant 0") == true)
    #expect(twice.first?.place == "x.yaml:4:12")
    let numbers = (1...40).map(String.init).joined(separator: ", ")
    let huge = problems(
      Self.head + "sweep: {threads: [\(numbers)], cache: [\(numbers)], head: [f16]}")
    #expect(!huge.isEmpty)
  }

  @Test func stagesThatCannotWorkTogetherAreFoundBeforeAnythingRuns() {
    let list = problems(
      Self.head
        + "variants:\n  - {name: a, quantizer: none, kernel: reference}\n"
        + "  - {name: b, quantizer: absmean, activations: none, kernel: reference}\n")
    #expect(list.contains { $0.what.contains("variant 'a', kernel") && $0.place == "x.yaml:4:40" })
    #expect(
      list.contains {
        $0.what.contains("multiplies int8 activations") && $0.advice?.contains("int8") == true
      })
  }

  @Test func theWordModelLeavesTheChoiceToTheCheckpoint() throws {
    let plan = try plan(Self.head + "base: {quantizer: model, activations: model}")
    #expect(plan.variants[0].selection.quantizer == nil)
    #expect(plan.variants[0].selection.activations == nil)
  }
}

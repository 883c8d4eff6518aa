import Foundation
import Testing
import TritLab

import TritExperiments

/// Models that an experiment trains itself, a seed each.
@Suite struct TrainedModelTests {
  private static let training = """
    name: Two Steps
    data: {train: t.txt, tokens: 4000, valid-tokens: 300}
    tokenizer: {vocabulary: 270, bytes: 2000}
    model: {hidden: 32, feed-forward: 64, layers: 1, heads: 2, key-value-heads: 2, context: 32}
    optimisation: {steps: 3, batch: 1, length: 16, rate: 0.01, warmup: 1}
    validation: {every: 3, sequences: 2}
    seed: 7

    """
  private static let text = """
    name: luck
    model: train/two.yaml
    reference: none
    base: {quantizer: model, activations: model}
    sweep: {training-seed: {from: 1, to: 2, step: 1}}
    measure: {perplexity: {data: train/t.txt, context: 16, chunks: 12}}

    """

  private func prepare(_ folder: String) throws {
    let sentence = "The cat sat on the mat. The dog sat on the log. "
    try FileManager.default.createDirectory(
      atPath: folder + "/train", withIntermediateDirectories: true)
    try AtomicFile.write(
      String(repeating: sentence, count: 60), to: folder + "/train/t.txt")
    try AtomicFile.write(Self.training, to: folder + "/train/two.yaml")
    try AtomicFile.write(Self.text, to: folder + "/x.yaml")
  }

  private func run(_ folder: String, set: [String] = []) throws -> (RunOutcome, notes: [String]) {
    var notes: [String] = []
    let outcome = try ExperimentRunner.run(
      file: folder + "/x.yaml",
      options: RunOptions(set: set, outputDirectory: folder + "/runs", threads: 1),
      observer: { if case .note(let text) = $0 { notes.append(text) } })
    return (outcome, notes)
  }

  private func trained(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/runs/trained")) ?? [])
      .filter { !$0.hasPrefix(".") }.sorted()
  }

  @Test func eachSeedIsTrainedOnce() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let (outcome, notes) = try run(folder)
      #expect(notes.count { $0.hasPrefix("training two-steps-") } == 2)
      let models = trained(folder)
      #expect(models.count == 2 && models.allSatisfy { $0.hasPrefix("two-steps-") })
      #expect(outcome.records.map(\.label) == ["training seed 1", "training seed 2"])
      #expect(outcome.records.map { $0.metrics["model.training_seed"] } == [1, 2])
      #expect(outcome.records.map { $0.params["training-seed"] } == ["1", "2"])
      let values = outcome.records.compactMap { $0.metrics["perplexity.value"] }
      #expect(Set(values).count == 2)
      // The spread over trainings stands beside the error of the text.
      #expect(outcome.summary.contains("Error of the text"))
      // What a run keeps names the training file, and runs again from anywhere.
      let kept = try String(contentsOfFile: outcome.directory + "/experiment.yaml", encoding: .utf8)
      #expect(kept.contains("/train/two.yaml") && !kept.contains("runs/trained"))
      _ = try ExperimentPlan(path: outcome.directory + "/experiment.yaml")

      // The models are those of `trit train` with the seed.
      let file = try TrainingFile.read(
        path: folder + "/train/two.yaml", overrides: ["seed=2"])
      _ = try TrainingJob(file, output: folder + "/alone", threads: 1).run(
        observer: { _ in }, note: { _ in })
      let alone = try OpenedFiles.digest(of: folder + "/alone/model.safetensors")
      let digests = try models.map {
        try OpenedFiles.digest(of: folder + "/runs/trained/\($0)/model.safetensors")
      }
      #expect(digests.contains(alone) && Set(digests).count == 2)

      // Nothing is trained twice; what is written otherwise is another model.
      let again = try run(folder)
      #expect(!again.notes.contains { $0.hasPrefix("training ") })
      #expect(trained(folder) == models)
      try AtomicFile.write(
        Self.training.replacing("steps: 3", with: "steps: 2"), to: folder + "/train/two.yaml")
      _ = try run(folder)
      #expect(trained(folder).count == 4 && Set(models).isSubset(of: trained(folder)))
    }
  }

  @Test func whatIsWrongIsToldBeforeAnythingIsTrained() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      func complaint(_ set: [String]) -> String {
        do {
          _ = try run(folder, set: set)
          return ""
        } catch {
          return "\(error)"
        }
      }
      for (set, parts) in [
        (
          ["model=builtin:storyteller"],
          ["x.yaml:5:", "'training-seed' has no effect", "builtin:storyteller"]
        ),
        (["measure.perplexity.data=nothing.txt"], ["nothing.txt"]),
        (["sweep.training-seed=[-1]"], ["training-seed", "whole number"]),
        (["model=absent.yaml"], ["absent.yaml"]),
      ] as [([String], [String])] {
        let text = complaint(set)
        for part in parts { #expect(text.contains(part), "\(part) in:\n\(text)") }
      }
      try AtomicFile.write(
        Self.training.replacing("heads: 2, key", with: "heads: 5, key"),
        to: folder + "/train/two.yaml")
      #expect(complaint([]).contains("two.yaml"))
      #expect(trained(folder).isEmpty)
    }
  }
}

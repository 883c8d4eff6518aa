import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Commands that are killed, interrupted and cut off from their files: nothing is lost, nothing is
/// half written, and what goes on ends as if nothing had happened.
@Suite struct KillTests {
  @Test func aRunThatIsKilledAgainAndAgainEndsAsOneThatWasNot() throws {
    let small = try SmallExperiment(isLong: true)
    let whole = try CommandRunner.run(small.words("whole"))
    #expect(whole.status == 0, "\(whole)")
    // Killed once there are so many records, and at times that have nothing to do with them.
    var random = SeededRandom(seed: 5)
    for turn in 0..<8 {
      let running = try RunningCommand(small.words())
      let moment = DispatchTime.now().uptimeNanoseconds + UInt64(20 + random.below(500)) * 1_000_000
      _ = running.wait {
        turn.isMultiple(of: 2)
          ? small.count() >= turn / 2 + 1 : DispatchTime.now().uptimeNanoseconds >= moment
      }
      running.send(SIGKILL)
      _ = running.end()
      _ = try small.records()
    }
    let rest = try CommandRunner.run(small.words())
    #expect(rest.status == 0, "\(rest)")
    #expect(
      try small.records().map(SmallExperiment.timeless)
        == small.records("whole").map(SmallExperiment.timeless))
    #expect(small.leftovers() == [])
    // A run that was killed before its first record has a folder all the same; none is begun twice.
    let parent = small.folder.file("out/small")
    let unfinished = try FileManager.default.contentsOfDirectory(atPath: parent).filter { name in
      let state = try? JSONReader.readFile("\(parent)/\(name)/state.json")
      return state?["isFinished"]?.bool == false
    }
    #expect(unfinished.isEmpty)
  }

  @Test func whatAKilledWriterLeavesGoesAtTheNextStart() throws {
    let folder = try TemporaryFolder("killed")
    func partial() -> [String] {
      ((try? folder.names()) ?? []).filter { $0.contains(".partial-") }
    }
    // Some 90 MB: long enough to be killed in the middle.
    let words = ["dummy", "--preset", "large", "--layers", "2", "-o", folder.file("large.gguf")]
    let running = try RunningCommand(words)
    #expect(running.wait { !partial().isEmpty })
    running.send(SIGKILL)
    #expect(running.end().status == 128 + SIGKILL)
    #expect(partial().count == 1)
    #expect(partial()[0].hasPrefix("large.gguf.partial-\(running.identifier)-"))
    // The next command that writes there clears up, whatever it writes.
    let refused = try CommandRunner.run(["dummy", "--preset", "none", "-o", folder.file("a.gguf")])
    #expect(refused.status == 64)
    #expect(partial().count == 1, "a command that writes nothing removes nothing")
    let next = try RunningCommand(words)
    #expect(next.wait { partial().contains { $0.contains("-\(next.identifier)-") } })
    #expect(next.wait { partial().count == 1 })
    // Ctrl-C twice ends at once, and still leaves nothing.
    next.send(SIGINT)
    next.send(SIGINT)
    let ended = next.end()
    #expect(ended.status == 130 || ended.status == 0, "\(ended)")
    #expect(partial().isEmpty)
  }

  @Test(arguments: [false, true]) func aModelThatIsCutShortIsAnErrorWithItsName(isGGUF: Bool) throws
  {
    let folder = try TemporaryFolder("short")
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let text = try folder.write(String(repeating: "once upon a time ", count: 20_000), to: "t.txt")
    var path = model + "/model.safetensors"
    if isGGUF {
      path = folder.file("tiny.gguf")
      let export = try CommandRunner.run(["export", "-m", model, "-o", path])
      #expect(export.status == 0, "\(export)")
    }
    let running = try RunningCommand([
      "perplexity", "-m", isGGUF ? path : model, "-f", text, "-c", "64", "-t", "2", "--kernel",
      "reference",
    ])
    #expect(running.wait { running.err.contains("protocol llama.cpp") })
    #expect(truncate(path, 0) == 0)
    let result = running.end()
    #expect(result.status == 65, "\(result)")
    #expect(result.err.contains("trit: error: \(path): the file was cut short"), "\(result)")
    #expect(result.err.contains("next: get the file again"), "\(result)")
    #expect(!result.out.contains("Final estimate"))
  }

  @Test func aRunWhoseModelIsCutShortKeepsItsRecordsAndGoesOnLater() throws {
    let small = try SmallExperiment(isLong: true)
    let path = small.model + "/model.safetensors"
    let whole = try #require(FileManager.default.contents(atPath: path))
    let running = try RunningCommand(small.words())
    #expect(running.wait { small.count() >= 2 })
    #expect(truncate(path, 0) == 0)
    let result = running.end()
    // Whoever reads first finds it: the engine by a fault, or the check behind a variant.
    #expect(result.status == 65 || result.status == 1, "\(result)")
    #expect(result.err.contains(path), "\(result)")
    #expect(
      result.err.contains("was cut short") || result.err.contains("was changed while"), "\(result)")
    let kept = try small.records().filter { $0["status"]?.string == "finished" }
    #expect(kept.count >= 2)
    #expect(small.leftovers() == [])
    // With the model back, the rest is measured and what there was is known.
    try whole.write(to: URL(fileURLWithPath: path))
    let again = try CommandRunner.run(small.words())
    #expect(again.status == 0, "\(again)")
    #expect(again.err.components(separatedBy: "known from").count - 1 == kept.count, "\(again)")
  }
}

/// Trainings that are killed, or begun twice.
@Suite struct TrainingKillTests {
  let folder: TemporaryFolder
  let file: String

  init() throws {
    folder = try TemporaryFolder("training")
    var random = SeededRandom(seed: 3)
    let words = ["once", "upon", "a", "time", "the", "end", "cat", "sat", "on", "mat"]
    let text = (0..<6000).map { _ in words[random.below(words.count)] }.joined(separator: " ")
    try folder.write(text, to: "text.txt")
    file = try folder.write(
      """
      name: small
      output: model
      data: {train: text.txt, tokens: 20000, valid-tokens: 600}
      tokenizer: {vocabulary: 300, bytes: 20000}
      model: {block: bitnet, hidden: 64, feed-forward: 128, layers: 2, heads: 2, context: 32}
      quantization: {quantizer: absmean, activations: int8}
      optimisation: {steps: 40, batch: 2, length: 32, rate: 0.002, warmup: 4}
      validation: {every: 4, sequences: 4}
      checkpoint: {every: 6}
      seed: 1
      """, to: "small.yaml")
  }

  private func words(_ output: String, _ more: [String] = []) -> [String] {
    ["train", file, "-o", folder.file(output), "-t", "1"] + more
  }

  private func log(_ output: String) -> [String] {
    let path = folder.file(output) + "/training/metrics.jsonl"
    let data = FileManager.default.contents(atPath: path) ?? Data()
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// The lines of the log without times.
  private func steps(_ output: String) throws -> [String] {
    try log(output).map { line in
      let value = try JSONReader.read(line, path: "metrics.jsonl")
      let kept = (value.object ?? []).filter {
        $0.key != "seconds" && $0.key != "tokens_per_second"
      }
      return JSONWriter.text(.object(kept))
    }
  }

  private func leftovers(_ output: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: folder.file(output))?.compactMap {
      $0 as? String
    }
    return (all ?? []).filter { $0.contains(".partial-") || $0.contains("/.") }
  }

  @Test func aTrainingThatIsKilledAgainAndAgainEndsWithTheSameBits() throws {
    let whole = try CommandRunner.run(words("whole"))
    #expect(whole.status == 0, "\(whole)")
    let expected = try steps("whole")
    // 40 steps; validations after 4, 8 … 36, and 40.
    #expect(expected.count == 50)
    for (turn, lines) in [1, 9, 20, 33, 47, 50].enumerated() {
      let running = try RunningCommand(words("parts"))
      _ = running.wait { log("parts").count >= lines }
      running.send(turn == 2 ? SIGINT : SIGKILL)
      _ = running.end()
    }
    // To its end, and once more: a training that is done adds nothing.
    for _ in 0..<2 {
      let rest = try CommandRunner.run(words("parts"))
      #expect(rest.status == 0, "\(rest)")
      #expect(try steps("parts") == expected)
    }
    for name in ["model.safetensors", "config.json", "generation_config.json", "tokenizer.json"] {
      #expect(
        FileManager.default.contentsEqual(
          atPath: folder.file("whole/" + name), andPath: folder.file("parts/" + name)), "\(name)")
    }
    #expect(leftovers("parts") == [])
  }

  @Test func twoTrainingsDoNotWorkInOneFolder() throws {
    let long = ["--set", "optimisation.steps=100000"]
    let first = try RunningCommand(words("one", long))
    #expect(first.wait { log("one").count > 2 })
    let second = try CommandRunner.run(words("one", long))
    #expect(second.status == 1, "\(second)")
    #expect(second.err.contains("another process works in this folder"), "\(second)")
    #expect(second.err.contains("process \(first.identifier) on "), "\(second)")
    #expect(second.err.contains("-o DIR"))
    // The first is not disturbed, and when it is killed its lock goes with it.
    let count = log("one").count
    #expect(first.wait { log("one").count > count })
    first.send(SIGKILL)
    _ = first.end()
    let third = try RunningCommand(words("one", long))
    #expect(third.wait { third.err.contains("training 100000") || third.err.contains("going on") })
    third.send(SIGKILL)
    _ = third.end()
  }
}

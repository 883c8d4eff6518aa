import Foundation
import Testing
import TritLab
import _TritTestSupport

/// `trit compare` on real runs of the built-in tiny model.
@Suite struct CompareTests {
  private func run(_ folder: TemporaryFolder, _ words: [String]) throws -> CommandResult {
    try CommandRunner.run(words, folder: folder.path)
  }

  private func study(_ folder: TemporaryFolder, _ name: String, _ choice: String) throws -> String {
    try folder.write(
      """
      name: \(name)
      model: builtin:tiny
      base: {\(choice)}
      variants: [{name: it}]
      reference: none
      measure:
        perplexity: {data: text.txt, context: 32, chunks: 12}
        tasks: {limit: 10}
      """, to: "\(name).yaml")
    let result = try run(folder, ["run", "\(name).yaml", "-q"])
    #expect(result.status == 0, "\(result)")
    return result.out.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// A folder with the text that is measured.
  private func folderWithText() throws -> TemporaryFolder {
    let folder = try TemporaryFolder("compare")
    try folder.write(
      String(repeating: "Once upon a time there was a dog. The dog had a red ball. ", count: 60),
      to: "text.txt")
    return folder
  }

  /// Runs of the model as it is, and of one that is worse.
  private func goodAndBad(_ folder: TemporaryFolder) throws -> (good: String, bad: String) {
    (try study(folder, "good", "quantizer: model"), try study(folder, "bad", "quantizer: sign"))
  }

  @Test func aGateFallsWhereAModelIsWorse() throws {
    let folder = try folderWithText()
    let (good, bad) = try goodAndBad(folder)
    let equal = try run(folder, ["compare", good, good, "--tolerance", "0"])
    #expect(equal.status == 0 && equal.out.contains("identical"), "\(equal)")
    let worse = try run(folder, ["compare", good, bad, "--tolerance", "0.5", "--of", "perplexity"])
    #expect(worse.status == 2, "\(worse)")
    #expect(worse.out.contains("it") && worse.err.contains("worse than the tolerance"), "\(worse)")
    // The other way round it is better, and no tolerance is needed.
    let better = try run(folder, ["compare", bad, good, "--tolerance", "0", "--of", "perplexity"])
    #expect(better.status == 0, "\(better)")
    let json = try run(folder, ["compare", good, bad, "--json"])
    let document = try JSONReader.read(json.out)
    guard case .array(let list)? = document["comparisons"] else {
      Issue.record("no list: \(json)")
      return
    }
    let one = try #require(list.first)
    #expect(one["quantity"]?.string == "perplexity" && one["unit"]?.string == "%")
    #expect(try #require(one["value"]?.double) > 0)
    #expect(one["units"]?.double == 12 && one["method"]?.string == "clusters")
  }

  /// A gate that passes when nothing was compared is a fault: what the old run has must be there.
  @Test func aGateNeedsAllThatItGuards() throws {
    let folder = try folderWithText()
    try folder.write(String(repeating: "The cat had a ball. ", count: 90), to: "other.txt")
    func run(_ name: String, _ variants: String, _ measure: String) throws -> String {
      try folder.write(
        "name: \(name)\nmodel: builtin:tiny\nreference: none\nvariants: [\(variants)]\n"
          + "measure: {\(measure)}\n", to: "\(name).yaml")
      let result = try self.run(folder, ["run", "\(name).yaml", "-q"])
      #expect(result.status == 0, "\(result)")
      return result.out.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let text = "perplexity: {data: text.txt, context: 32, chunks: 12}"
    let two = "{name: a}, {name: b, cache: f16}"
    let old = try run("old", two, text + ", tasks: {limit: 10}")
    let fewer = try run("fewer", "{name: a}", text + ", tasks: {limit: 10}")
    let lost = try run("lost", two, text)
    let other = try run(
      "other", two, "perplexity: {data: other.txt, context: 32}, tasks: {limit: 10}")
    for (new, words) in [
      (fewer, "b: is not in"), (lost, "a: tasks right was not measured"),
      (other, "a, b: perplexity: the two runs saw other windows"),
    ] {
      // Without a tolerance it is said; with one the gate falls.
      let told = try self.run(folder, ["compare", old, new])
      #expect(told.status == 0, "\(told)")
      let said = told.out.replacingOccurrences(of: "\n", with: " ")
      #expect(said.contains(words), "\(told)")
      let gate = try self.run(folder, ["compare", old, new, "--tolerance", "100"])
      #expect(gate.status == 65 && gate.err.contains(words), "\(gate)")
    }
    // What is asked for alone is all that must be there.
    let one = try self.run(
      folder, ["compare", old, lost, "--tolerance", "0", "--of", "perplexity"])
    #expect(one.status == 0, "\(one)")
    let none = try self.run(
      folder, ["compare", old, old, "--of", "retrieval", "--of", "tasks", "--tolerance", "0"])
    #expect(none.status == 65 && none.err.contains("retrieval: no two runs tell it"), "\(none)")
    // A variant that is new has nothing to be worse than.
    let more = try self.run(folder, ["compare", fewer, old, "--tolerance", "100"])
    #expect(more.status == 0 && more.out.contains("b: is in"), "\(more)")
    // Three runs: whose figure it is stands beside it.
    let three = try self.run(folder, ["compare", old, old, lost, "--json"])
    let list = try #require(try JSONReader.read(three.out)["comparisons"]?.array)
    #expect(Set(list.compactMap { $0["run"]?.string }).count == 2)
  }

  @Test func eachQuantityCanHaveItsTolerance() throws {
    let folder = try folderWithText()
    let (good, bad) = try goodAndBad(folder)
    func gate(_ tolerances: String...) throws -> CommandResult {
      try run(folder, ["compare", good, bad] + tolerances.flatMap { ["--tolerance", $0] })
    }
    #expect(try gate("100000", "tasks=100").status == 0)
    #expect(try gate("tasks=100").status == 0)
    let fallen = try gate("100000", "perplexity=0.5")
    #expect(fallen.status == 2 && fallen.err.contains("at most 0.5 %"), "\(fallen)")
    for (tolerances, status) in [
      (["perplexty=1"], 64), (["retrieval=1"], 65), (["1", "2"], 64), (["tasks="], 64),
      (["tasks=nan"], 64), (["-1"], 64),
    ] {
      let result = try run(
        folder, ["compare", good, bad] + tolerances.flatMap { ["--tolerance=" + $0] })
      #expect(result.status == status, "\(result)")
    }
  }

  @Test func wrongOperandsAreToldWithWhatThereIs() throws {
    let folder = try TemporaryFolder("compare")
    try folder.write("Once upon a time there was a dog.", to: "text.txt")
    let none = try run(folder, ["compare", "runs/none"])
    #expect(none.status == 66 && none.err.contains("there is no run"), "\(none)")
    let quantity = try run(folder, ["compare", "runs", "--of", "perplexty"])
    #expect(quantity.status == 64 && quantity.err.contains("perplexity"), "\(quantity)")
    let empty = try run(folder, ["compare"])
    #expect(empty.status == 64, "\(empty)")
  }
}

/// What `trit perplexity` and `trit tasks` write with `--samples` is compared as runs are.
@Suite struct SamplesFileTests {
  private func run(_ folder: TemporaryFolder, _ words: [String]) throws -> CommandResult {
    try CommandRunner.run(words, folder: folder.path)
  }

  @Test func filesOfTwoModelsArePairs() throws {
    let folder = try TemporaryFolder("samples")
    try folder.write(
      String(repeating: "Once upon a time there was a dog. The dog had a red ball. ", count: 60),
      to: "text.txt")
    let words = [
      "perplexity", "-m", "builtin:tiny", "-f", "text.txt", "-c", "32", "--chunks", "12",
    ]
    for (name, quantizer) in [("good", "model"), ("bad", "sign")] {
      let result = try run(
        folder, words + ["--quantizer", quantizer, "--samples", "\(name).safetensors"])
      #expect(
        result.status == 0 && result.err.contains("samples: \(name).safetensors"), "\(result)")
    }
    let worse = try run(
      folder, ["compare", "good.safetensors", "bad.safetensors", "--tolerance", "0.5"])
    #expect(worse.status == 2 && worse.out.contains("bad.safetensors"), "\(worse)")
    let json = try run(folder, ["compare", "bad.safetensors", "good.safetensors", "--json"])
    let one = try #require(try JSONReader.read(json.out)["comparisons"]?.array?.first)
    #expect(one["quantity"]?.string == "perplexity" && one["units"]?.integer == 12)
    #expect(try #require(one["value"]?.double) < 0)
    let alone = try run(folder, ["compare", "good.safetensors"])
    #expect(alone.status == 64 && alone.err.contains("nothing to be compared with"), "\(alone)")
    // A run of an experiment over the same windows makes pairs with it.
    try folder.write(
      """
      name: study
      model: builtin:tiny
      variants: [{name: it}]
      reference: none
      measure: {perplexity: {data: text.txt, context: 32, chunks: 12}}
      """, to: "study.yaml")
    #expect(try run(folder, ["run", "study.yaml", "-q"]).status == 0)
    let both = try run(folder, ["compare", "good.safetensors", "runs/study"])
    #expect(both.status == 0 && both.out.contains("identical"), "\(both)")
  }

  @Test func questionsAndDivergencesAreKeptToo() throws {
    let folder = try TemporaryFolder("samples")
    let questions = [
      "perplexity", "-m", "builtin:tiny", "--multiple-choice", "-f", "builtin:storyteller/tasks",
      "--multiple-choice-tasks", "20",
    ]
    for name in ["a", "b"] {
      let result = try run(folder, questions + ["--samples", "\(name).safetensors"])
      #expect(result.status == 0, "\(result)")
    }
    let equal = try run(folder, ["compare", "a.safetensors", "b.safetensors"])
    #expect(equal.status == 0 && equal.out.contains("identical"), "\(equal)")
    try folder.write(String(repeating: "The dog had a red ball. ", count: 60), to: "text.txt")
    let divergence = try run(
      folder,
      [
        "perplexity", "-m", "builtin:tiny", "-f", "text.txt", "-c", "32", "--kl-divergence",
        "--samples", "d.safetensors",
      ])
    #expect(divergence.status == 0, "\(divergence)")
    let file = try SafetensorsFile(path: folder.file("d.safetensors"))
    #expect(file.info("divergence.kld") != nil && file.info("perplexity.loss") != nil)
  }

  @Test func aPartOfAFileOfLogitsIsRun() throws {
    let folder = try TemporaryFolder("samples")
    try folder.write(String(repeating: "The dog had a red ball. ", count: 90), to: "text.txt")
    let model = ["perplexity", "-m", "builtin:tiny"]
    let written = try run(
      folder, model + ["-f", "text.txt", "-c", "32", "--kl-divergence-base", "base.kld"])
    #expect(written.status == 0, "\(written)")
    let part = try run(
      folder,
      model + [
        "--kl-divergence", "--kl-divergence-base", "base.kld", "--chunks", "1:3", "--json",
      ])
    #expect(part.status == 0, "\(part)")
    #expect(try JSONReader.read(part.out)["chunks"]?.integer == 2)
    let behind = try run(
      folder,
      model + ["--kl-divergence", "--kl-divergence-base", "base.kld", "--chunks", "9000:"])
    #expect(behind.status == 65 && behind.err.contains("behind the last"), "\(behind)")
  }

  @Test func theProtocolOfTheHarnessIsAPreset() throws {
    let folder = try TemporaryFolder("samples")
    try folder.write(String(repeating: "The dog had a red ball. ", count: 60), to: "text.txt")
    let result = try run(
      folder,
      ["perplexity", "-m", "builtin:tiny", "-f", "text.txt", "--protocol", "lm-eval", "--json"])
    let document = try JSONReader.read(result.out)
    #expect(document["protocol"]?.string == "lm-eval", "\(result)")
    let (word, byte) = (
      try #require(document["word_perplexity"]?.double),
      try #require(document["byte_perplexity"]?.double)
    )
    // 1440 bytes, 361 fields (60 sentences of 6 words and the field behind the last space).
    #expect(abs(log(word) * 361 - log(byte) * 1440) < 1e-6)
    let bits = try #require(document["bits_per_byte"]?.double)
    #expect(abs(exp2(bits) - byte) < 1e-9)
  }
}

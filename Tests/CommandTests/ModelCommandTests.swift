import Foundation
import Testing
import TritLab
import _TritTestSupport

/// The commands that run a model, end to end on tiny seeded checkpoints.
@Suite struct ModelCommandTests {
  let folder: TemporaryFolder
  let model: String

  init() throws {
    folder = try TemporaryFolder("command")
    model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
  }

  private func json(_ text: String) throws -> JSONValue {
    try JSONReader.read(text, path: "output")
  }

  @Test(arguments: TinyCheckpoint.Kind.allCases)
  func everyFormOfCheckpointGenerates(kind: TinyCheckpoint.Kind) throws {
    let path = try TinyCheckpoint.write(kind, seed: 2, in: folder)
    let result = try CommandRunner.run(
      ["generate", "-m", path, "-p", "once upon a time", "-n", "8", "--temp", "0", "-t", "1"])
    #expect(result.status == 0, "\(result)")
    #expect(result.out.hasPrefix("once upon a time"))
    #expect(result.err.contains("prompt eval time = "))
    #expect(result.err.contains("       eval time = "))
    #expect(result.err.contains("tokens per second)"))
    #expect(result.err.contains("total time = "))
  }

  @Test func seedDecidesAndThreadsDoNot() throws {
    let run = { (extra: [String]) in
      let result = try CommandRunner.run(
        ["generate", "-m", model, "-p", "once", "-n", "24", "--ignore-eos", "--json"] + extra)
      #expect(result.status == 0, "\(result)")
      return try #require(try json(result.out)["tokens"]?.array)
    }
    let first = try run(["--seed", "7", "-t", "1"])
    #expect(first.count == 24)
    #expect(try run(["-s", "7", "-t", "2"]) == first)
    #expect(try run(["--seed=8", "-t1"]) != first)
    #expect(try run(["-s7", "--threads", "2", "--temp", "0"]) != first)
  }

  @Test func aContextBeyondTheTrainedOneIsSaid() throws {
    let common = ["generate", "-m", model, "-p", "once", "-n", "1", "-t", "1", "-c"]
    let longer = try CommandRunner.run(common + ["300"])
    #expect(longer.status == 0)
    #expect(longer.err.contains("longer than the 256"), "\(longer)")
    #expect(try !CommandRunner.run(common + ["256"]).err.contains("note:"))
  }

  @Test func promptCanBeAFileStandardInputOrHidden() throws {
    let file = try folder.write("once upon\na time", to: "prompt.txt")
    let common = ["generate", "-m", model, "-n", "4", "--temp", "0", "-t", "1"]
    let fromFile = try CommandRunner.run(common + ["-f", file])
    #expect(fromFile.out.hasPrefix("once upon\na time"))
    let fromInput = try CommandRunner.run(common + ["-f", "-"], input: "once upon\na time")
    #expect(fromInput.out == fromFile.out)
    let escaped = try CommandRunner.run(common + ["-e", "-p", "once upon\\na time"])
    #expect(escaped.out == fromFile.out)
    let hidden = try CommandRunner.run(common + ["-f", file, "--no-display-prompt"])
    #expect("once upon\na time" + hidden.out == fromFile.out)
  }

  @Test func stagesAreChosenByFlags() throws {
    let run = { (extra: [String]) in
      try CommandRunner.run(
        ["generate", "-m", model, "-p", "a", "-n", "2", "-t", "1", "--temp", "0"] + extra)
    }
    let chosen = try run([
      "--kernel", "reference", "--head", "f32", "-ctk", "f32", "--attention", "naive",
      "--layers", "blk.0.*:quantizer=none;kernel=openblas;activations=none",
    ])
    #expect(chosen.status == 0, "\(chosen)")
    #expect(chosen.err.contains("openblas x 7, reference x 7"), "\(chosen.err)")
    #expect(chosen.err.contains("cache f32"))
    #expect(chosen.err.contains("attention naive"))
    let reference = try run(["--reference"])
    #expect(reference.err.contains("kernel openblas; activations none"), "\(reference.err)")
  }

  @Test func wrongStagesAreUsageErrorsWithTheNearestName() throws {
    let cases: [(words: [String], says: [String])] = [
      (["--kernel", "i2s"], ["unknown kernel 'i2s'", "did you mean 'i2_s"]),
      (["--quantizer", "absmaen"], ["unknown weight quantizer 'absmaen'", "'absmean'"]),
      (["--quantizer", "absmean:grup=3"], ["has no parameter 'grup'", "'group'"]),
      (["--quantizer", "absmean:group"], ["cannot read the parameter"]),
      (["--head", "f61"], ["unknown output head 'f61'"]),
      (["--layers", "blk.9.*:quantizer=none"], ["no layer matches"]),
      (["--layers", "blk.0.*"], ["is invalid for '--layers"]),
      (["-ctk", "f16", "-ctv", "f32"], ["cached in one precision"]),
      (["--reference", "--kernel", "openblas"], ["exclude one another"]),
      (["-ngl", "33"], ["there is no GPU backend"]),
      (["--top-p", "1.5"], ["'top-p'"]),
      (["--temp", "-1"], ["'temperature'"]),
      (["--temp", "warm"], ["The value 'warm' is invalid for '--temp <t>'"]),
      (["-n", "3.5"], ["The value '3.5' is invalid for '--n-predict <n>'"]),
      (["-t", "0"], ["a whole number from 1 to 1024"]),
    ]
    for one in cases {
      let result = try CommandRunner.run(
        ["generate", "-m", model, "-p", "a", "-n", "1"] + one.words)
      #expect(result.status == 64, "\(one.words): \(result)")
      #expect(result.out.isEmpty, "\(one.words): \(result)")
      for text in one.says { #expect(result.err.contains(text), "\(one.words): \(result.err)") }
    }
  }

  @Test func logitsAreAFileThatOthersRead() throws {
    let path = folder.file("out.safetensors")
    let result = try CommandRunner.run(
      ["logits", "-m", model, "--tokens", "1,266,273", "-o", path, "-t", "1"])
    #expect(result.status == 0, "\(result)")
    let file = try SafetensorsFile(path: path)
    let logits = try #require(file.info("logits"))
    #expect(logits.type == .f32)
    #expect(logits.shape == [3, TinyCheckpoint.vocabulary])
    let tokens = try file.bytes("tokens")
    #expect(
      (0..<3).map { tokens.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) } == [1, 266, 273])
    // The file itself is a list of tokens: the same logits come out again, as from a JSON list.
    let again = folder.file("again.safetensors")
    _ = try CommandRunner.run(["logits", "-m", model, "--tokens", path, "-o", again, "-t", "2"])
    let list = try folder.write("[1, 266,\n 273]", to: "ids.json")
    let third = folder.file("third.safetensors")
    _ = try CommandRunner.run(["logits", "-m", model, "--tokens", list, "-o", third])
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(try Data(contentsOf: URL(fileURLWithPath: again)) == bytes)
    #expect(try Data(contentsOf: URL(fileURLWithPath: third)) == bytes)
  }

  @Test func perplexityEndsWithTheLineThatScriptsLookFor() throws {
    let text = try folder.write(
      String(repeating: "once upon a time the end. ", count: 40), to: "text.txt")
    let common = ["perplexity", "-m", model, "-f", text, "-c", "32", "-t", "2"]
    let plain = try CommandRunner.run(common + ["--chunks", "4"])
    #expect(plain.status == 0, "\(plain)")
    let lines = plain.out.split(separator: "\n").map(String.init)
    let last = try #require(lines.last)
    #expect(
      last.wholeMatch(of: /Final estimate: PPL = \d+\.\d{4} \+\/- \d+\.\d{5}/) != nil, "\(last)")
    #expect(lines[0].hasPrefix("[1]") && lines[0].contains("[4]"))
    // Beside the error over tokens, llama-perplexity's, stands the one over windows.
    #expect(
      lines[1].wholeMatch(of: /Error over windows: \+\/- \d+\.\d{5} \(4 windows; .*\)/) != nil)
    let single = try CommandRunner.run(common + ["--chunks", "1"])
    #expect(single.out.contains("Error over windows: none, one window has no spread"))
    let compared = try CommandRunner.run(common + ["--kl-divergence"])
    #expect(compared.out.contains("====== KL divergence statistics ======"))
    #expect(compared.out.split(separator: "\n").last?.hasPrefix("Final estimate: PPL = ") == true)
    let record = try json(
      try CommandRunner.run(common + ["--json", "--protocol", "strided", "--stride", "8"]).out)
    #expect(record["protocol"]?.string == "strided")
    #expect((record["perplexity"]?.double ?? 0) > 1)
    #expect((record["perplexity_window_error"]?.double ?? 0) > 0)
    #expect((record["documented_loop_nll"]?.double ?? 0) > 0)
    #expect(record["undefined"]?["floor_nll"]?.string == "the source of the text is not known")
    let one = try json(try CommandRunner.run(common + ["--json", "--chunks", "1"]).out)
    #expect(one["perplexity_window_error"] == .null && one["documented_loop_nll"] == .null)
    #expect(one["undefined"]?["perplexity_window_error"]?.string == "one window has no spread")
    let beside = try json(
      try CommandRunner.run(common + ["--json", "--kl-divergence", "--chunks", "4"]).out)
    #expect((beside["mean_kld"]?["window_error"]?.double ?? -1) >= 0)
    let share = beside["same_top_p"]?["value"]?.double ?? 0
    #expect((beside["same_top_p_lower"]?.double ?? 2) < share)
    #expect((beside["same_top_p_upper"]?.double ?? 0) <= 1)
    let few = try folder.write("once upon a time", to: "few.txt")
    let short = try CommandRunner.run(["perplexity", "-m", model, "-f", few, "-c", "250"])
    #expect(short.status == 65, "\(short)")
    #expect(short.err.contains("too short"))
  }

  /// A model's own context below the protocol's is taken and told; a longer one that is asked for
  /// is warned of.
  @Test func aShortModelIsMeasuredAtItsOwnContext() throws {
    let text = try folder.write(
      String(repeating: "once upon a time the end. ", count: 100), to: "long.txt")
    let common = ["perplexity", "-m", model, "-f", text, "-t", "1", "--chunks", "1"]
    let plain = try CommandRunner.run(common)
    #expect(plain.status == 0, "\(plain)")
    #expect(
      plain.err.contains(
        "context: 256, all that the model was trained with; the protocol's own is 512"))
    #expect(plain.err.contains("protocol llama.cpp, context 256"))
    let asked = try CommandRunner.run(common + ["-c", "256"])
    #expect(asked.out == plain.out && !asked.err.contains("all that the model"))
    #expect(try CommandRunner.run(common + ["-c", "0"]).out == plain.out)
    let longer = try CommandRunner.run(common + ["-c", "300"])
    #expect(longer.status == 0 && longer.err.contains("longer than the 256"))
    let bench = try CommandRunner.run([
      "bench", "-m", model, "-p", "0", "-n", "2", "-r", "1", "-d", "300", "-t", "1",
    ])
    #expect(bench.err.contains("the model was trained with 256"), "\(bench)")
    #expect(bench.out.contains("tg2 @ d300"))
  }

  @Test func timingsCountTheTokensThatTheyTime() throws {
    let common = ["generate", "-m", model, "-p", "once", "--ignore-eos", "-t", "1", "--json"]
    let record = try json(try CommandRunner.run(common + ["-n", "5"]).out)
    let timings = try #require(record["timings"])
    #expect(timings["predicted_n"]?.integer == record["tokens"]?.array?.count)
    #expect(timings["predicted_n"]?.integer == 5 && timings["decode_n"]?.integer == 4)
    for kind in ["prompt", "predicted", "decode"] {
      let count = try #require(timings["\(kind)_n"]?.double)
      let milliseconds = try #require(timings["\(kind)_ms"]?.double)
      let rate = try #require(timings["\(kind)_per_second"]?.double)
      #expect(abs(rate * milliseconds / 1000 - count) < 1e-6, "\(kind)")
    }
    let one = try json(try CommandRunner.run(common + ["-n", "1"]).out)
    #expect(one["timings"]?["decode_per_second"] == .null)
    #expect(one["undefined"]?["timings.decode_per_second"] != nil)
    let none = try json(try CommandRunner.run(common + ["-n", "0"]).out)
    #expect(none["timings"]?["predicted_per_second"] == .null)
    #expect(none["undefined"]?["timings.predicted_per_second"] != nil)
  }

  @Test func benchSpeaksLlamaBench() throws {
    let common = ["bench", "-m", model, "-p", "8", "-n", "4", "-r", "2", "-t", "1,2"]
    let table = try CommandRunner.run(common)
    #expect(table.status == 0, "\(table)")
    let lines = table.out.split(separator: "\n").map(String.init)
    let titles = lines[0].split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(
      titles.filter { !$0.isEmpty } == [
        "model", "size", "params", "backend", "threads", "kernel", "test", "t/s",
        "MB/token", "GB/s", "of the roof",
      ])
    #expect(lines[1].contains("---:"))
    #expect(lines.filter { $0.contains(" pp8 ") }.count == 2)
    #expect(lines.filter { $0.contains(" tg4 ") && $0.contains(" ± ") }.count == 2)
    let rows = try CommandRunner.run(common + ["-o", "jsonl", "--kernel", "reference,i2_s"]).out
      .split(separator: "\n").map { try json(String($0)) }
    #expect(rows.count == 8)
    #expect(Set(rows.compactMap { $0["kernel"]?.string }).count == 2)
    for key in [
      "build_commit", "cpu_info", "model_filename", "model_type", "model_size", "model_n_params",
      "n_batch", "n_ubatch", "n_threads", "type_k", "type_v", "n_gpu_layers", "n_prompt", "n_gen",
      "n_depth", "test_time", "avg_ns", "stddev_ns", "avg_ts", "stddev_ts", "samples_ns",
      "samples_ts", "kernel", "gbps", "bytes_per_token", "roof", "roof_share", "blas_core",
    ] {
      #expect(rows.allSatisfy { $0[key] != nil }, "\(key)")
    }
    #expect(rows[0]["samples_ns"]?.array?.count == 2)
    // Two kernels on two teams take turns; rows of one test stand together.
    #expect(rows.allSatisfy { $0["round_engines"]?.integer == 4 })
    #expect(rows.prefix(4).allSatisfy { $0["n_prompt"]?.integer == 8 })
    #expect(rows.allSatisfy { $0["disturbed"] != nil && $0["round_spread"]?.double != nil })
    let csv = try CommandRunner.run(common + ["-o", "csv"]).out.split(separator: "\n")
    #expect(csv.count == 5)
    #expect(csv[0].hasPrefix("build_commit,build_number,cpu_info,gpu_info,backends,model_filename"))
    let document = try json(try CommandRunner.run(common + ["-o", "json", "-d", "0,16"]).out)
    #expect(document.array?.count == 8)
    let like = try CommandRunner.run(
      [
        "bench", "-m", model, "-p", "4", "-n", "2", "-r", "1", "--like", "bitnet.cpp", "-ngl", "0",
        "-o", "jsonl",
      ])
    let row = try json(String(try #require(like.out.split(separator: "\n").first)))
    #expect(row["n_batch"]?.integer == 1)
    #expect(row["n_threads"]?.integer == 2)
    let nothing = try CommandRunner.run(["bench", "-m", model, "-p", "0", "-n", "0"])
    #expect(nothing.status == 64)
  }

  @Test func tokensGoThereAndBack() throws {
    let pieces = try CommandRunner.run(["tokenize", "-m", model, "-p", "once\n\u{e9}"])
    #expect(
      pieces.out == "     1 -> '<|begin|>'\n   266 -> 'once'\n    13 -> '\\n'\n"
        + "   198 -> '\\xc3'\n   172 -> '\\xa9'\n", "\(pieces)")
    let ids = try CommandRunner.run(
      ["tokenize", "-m", model, "-p", "once<|end|>", "--ids", "--parse-special"])
    #expect(ids.out == "[1, 266, 2]\n")
    let bare = try CommandRunner.run(
      ["tokenize", "-m", model + "/tokenizer.json", "-p", "once", "--ids", "--no-bos"])
    #expect(bare.out == "[266]\n")
    let text = "  two  spaces\r\n\ttab \u{1F600} e\u{301} \u{0} end"
    let file = try folder.write(text, to: "text.txt")
    let back = try CommandRunner.shell(
      "trit tokenize -m '\(model)' -f '\(file)' --ids --no-bos | "
        + "trit detokenize -m '\(model)' -f - | cmp - '\(file)' && echo same")
    #expect(back.out == "same\n", "\(back)")
    let special = try CommandRunner.run(["detokenize", "-m", model, "--ids", "1,266", "--special"])
    #expect(special.out == "<|begin|>once")
    let outside = try CommandRunner.run(["detokenize", "-m", model, "--ids", "9999"])
    #expect(outside.status == 65, "\(outside)")
    let words = try CommandRunner.run(["detokenize", "-m", model, "--ids", "1,two"])
    #expect(words.status == 65)
    #expect(words.err.contains("cannot read token 1"))
  }

  @Test func inspectShowsTensorsInEveryForm() throws {
    let text = try CommandRunner.run(["inspect", model])
    #expect(text.status == 0, "\(text)")
    #expect(text.out.contains("| F32     | model.embed_tokens.weight"))
    let short = try CommandRunner.run(["inspect", model, "--no-tensors"])
    #expect(!short.out.contains("embed_tokens"))
    let document = try json(
      try CommandRunner.run(["inspect", model + "/model.safetensors", "--json"]).out)
    #expect(document["tensors"]?["model.norm.weight"]?["shape"] == [128])
  }

  @Test func questionsAreAnswered() throws {
    let path = try folder.write(
      """
      {"context": "once upon a", "choices": [" time", " dog"], "answer": 0, "kind": "x"}
      {"context": "the", "choices": [" end", " cat", " dog", " sun"], "answer": 1, "kind": "y"}
      """, to: "questions.jsonl")
    let common = ["perplexity", "-m", model, "--multiple-choice", "-f", path, "-t", "1"]
    let table = try CommandRunner.run(common)
    #expect(table.status == 0, "\(table)")
    let lines = table.out.split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines[4].hasPrefix("Final result: ") && lines[5] == "Random chance: 37.5000")
    #expect(lines[4].contains("95 % Wilson interval: ") && !lines[4].contains("+/- 0.0000"))
    let document = try json(try CommandRunner.run(common + ["--json"]).out)
    #expect(document["all"]?["count"]?.integer == 2)
    for name in ["acc", "acc_norm", "acc_bytes"] {
      let share = try #require(document["all"]?[name]?.double)
      let lower = try #require(document["all"]?["\(name)_lower"]?.double)
      let upper = try #require(document["all"]?["\(name)_upper"]?.double)
      #expect(lower <= share && share <= upper && upper - lower > 0.5)
    }
    #expect(document["kinds"]?.array?.first?["acc_stderr"] == .null)
    #expect(document["kinds"]?.array?.first?["undefined"]?["acc_stderr"] != nil)
    #expect(document["split"]?.string == "common")
    let harness = try json(try CommandRunner.run(common + ["--json", "--split", "lm-eval"]).out)
    #expect(harness["split"]?.string == "lm-eval")
    #expect(try CommandRunner.run(common + ["--split", "lm"]).status == 64)
    #expect(
      try CommandRunner.run(["perplexity", "-m", model, "-f", path, "--split", "lm-eval"]).status
        == 64)
    #expect(document["kinds"]?.array?.compactMap { $0["kind"]?.string } == ["x", "y"])
    let one = try json(
      try CommandRunner.run(common + ["--json", "--multiple-choice-tasks", "1"]).out)
    #expect(one["all"]?["count"]?.integer == 1)
    // What scores a text has no meaning here, and a text is no set of questions.
    #expect(try CommandRunner.run(common + ["--kl-divergence"]).status == 64)
    #expect(
      try CommandRunner.run([
        "perplexity", "-m", model, "-f", path, "--multiple-choice-tasks", "3",
      ]).status == 64)
  }
}

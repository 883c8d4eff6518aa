import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Machines that are short of descriptors, memory, disk, places and streams: a command works, or
/// says what is missing and ends with an exit code of its own.
@Suite struct SurroundingsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("poor") }

  /// Ended by itself, not by a signal, and not by the watchdog (124).
  private func expectOwnEnd(
    _ result: CommandResult, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let code = Int32(result.out.split(separator: "\n").last?.dropFirst(5) ?? "") ?? -1
    #expect((0..<124).contains(code), "\(what): \(result)", sourceLocation: sourceLocation)
    // A message where nothing came of it.
    if code != 0 {
      #expect(result.err.contains("trit: "), "\(what): \(result)", sourceLocation: sourceLocation)
    }
    for word in ["Backtrac", "Fatal error", "Illegal instruction", "core dumped", "CFSocket"] {
      #expect(!result.err.contains(word), "\(what): \(result)", sourceLocation: sourceLocation)
    }
  }

  private func shell(_ line: String, _ environment: [String: String] = [:]) throws -> CommandResult
  {
    try CommandRunner.shell("\(line); echo code=$?", environment: environment)
  }

  // MARK: Descriptors

  @Test(arguments: [5, 6, 7, 8, 9, 10, 12, 14, 16, 20])
  func fewDescriptors(count: Int) throws {
    let small = try SmallExperiment()
    let words = small.words().map { "'\($0)'" }.joined(separator: " ")
    let result = try shell(
      "(ulimit -n \(count); timeout -k 5 60 $TRIT \(words) 2>'\(folder.file("err"))')")
    let err = try String(contentsOfFile: folder.file("err"), encoding: .utf8)
    expectOwnEnd(CommandResult(status: 0, out: result.out, err: err), "run, \(count)")
    if err.contains("Too many open files") { #expect(err.contains("ulimit -n"), "\(err)") }
    let text = try shell(
      "(ulimit -n \(count); timeout -k 5 60 $TRIT generate -m '\(small.model)' -p a -n 3 -t 2)")
    expectOwnEnd(text, "generate, \(count)")
  }

  // MARK: Memory

  #if os(Linux)
    @Test(.disabled(if: isSanitized, "a sanitizer maps terabytes"))
    func aCacheAboveTheLimitIsAnErrorWithItsSize() throws {
      // 4 KiB a position: 1.6 GB where the shell allows 1 GB.
      let words = "generate -m builtin:tiny -p a -n 2 -t 2"
      let result = try shell(
        "(ulimit -v 1000000; timeout -k 5 60 $TRIT \(words) -c 400000)")
      #expect(result.out.hasSuffix("code=1\n"), "\(result)")
      #expect(result.err.contains("there is no memory for a KV cache"), "\(result)")
      #expect(result.err.contains("MiB wanted"), "\(result)")
      #expect(result.err.contains("-c") && result.err.contains("ulimit -v"), "\(result)")
      // The advice: a shorter context fits.
      let shorter = try shell(
        "(ulimit -v 1000000; timeout -k 5 60 $TRIT \(words) -c 64)")
      #expect(shorter.out.hasSuffix("code=0\n"), "\(shorter)")
    }

    @Test(
      .disabled(if: isSanitized, "a sanitizer maps terabytes"),
      arguments: [120, 160, 200, 240, 260, 280, 320, 400, 600])
    func littleAddressSpace(mebibytes: Int) throws {
      let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
      for words in [
        "--version", "generate -m '\(model)' -p a -n 2 -t 2 --kernel i2_s --head exact",
        "generate -m '\(model)' -p a -n 2 -t 2 --reference", "list --brief",
      ] {
        let result = try shell(
          "(ulimit -v \(mebibytes << 10); timeout -k 5 60 $TRIT \(words) > '\(folder.file("out"))')"
        )
        // The loader itself needs some 150 MiB: below, it speaks for itself.
        if result.out.hasSuffix("code=127\n") { continue }
        expectOwnEnd(result, "\(words), \(mebibytes) MiB")
      }
    }

    /// The library of the reference is in no process that does not compute with it, and has no
    /// threads in one that does.
    @Test func openBLASIsThereWhereItIsUsed() throws {
      let text = try folder.write(
        String(repeating: "once upon a time ", count: 20_000), to: "t.txt")
      for (stages, uses) in [
        (["--kernel", "i2_s", "--head", "exact"], false), (["--reference"], true),
      ] {
        let running = try RunningCommand(
          ["perplexity", "-m", "builtin:tiny", "-f", text, "-c", "64", "-t", "1"] + stages)
        #expect(running.wait { running.err.contains("protocol llama.cpp") })
        let maps = try String(contentsOfFile: "/proc/\(running.identifier)/maps", encoding: .utf8)
        #expect(maps.contains("libopenblas") == uses, "\(stages)")
        let threads = try FileManager.default.contentsOfDirectory(
          atPath: "/proc/\(running.identifier)/task")
        #expect(threads.count == 1, "\(stages)")
        running.send(SIGTERM)
        #expect(running.end().status == 128 + SIGTERM)
      }
    }

    @Test func aMissingOpenBLASIsToldWhereItIsNeeded() throws {
      let none = ["TRITLAB_OPENBLAS": folder.file("libnone.so")]
      let words = ["generate", "-m", "builtin:tiny", "-p", "a", "-n", "2", "-t", "1"]
      let integer = try CommandRunner.run(
        words + ["--kernel", "i2_s", "--head", "exact"], environment: none)
      #expect(integer.status == 0, "\(integer)")
      let reference = try CommandRunner.run(words + ["--reference"], environment: none)
      #expect(reference.status == 1, "\(reference)")
      #expect(reference.err.contains("OpenBLAS cannot be loaded"), "\(reference)")
      #expect(reference.err.contains("libnone.so") && reference.err.contains("next: install it"))
      let version = try CommandRunner.run(["--version"], environment: none)
      #expect(version.out.contains("blas: none"), "\(version)")
    }
  #endif

  // MARK: CPUs

  /// Older CPUs, by what is taken away; the same greedy text on all of them.
  @Test func whatACPULacksIsNotRun() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let words = [
      "generate", "-m", model, "-p", "once", "-n", "8", "--temp", "0", "-t", "1", "--head", "exact",
      "--attention", "streaming",
    ]
    let whole = try CommandRunner.run(words + ["--kernel", "reference"])
    for missing in [
      "", "zmm", "avx512vnni,avx512vbmi", "f16c", "fma", "ymm,zmm", "avxvnni,avx512f",
    ] {
      let result = try CommandRunner.run(
        words + ["--kernel", "i2_s"], environment: ["TRITLAB_CPU_WITHOUT": missing])
      #expect(result.status == 0, "\(missing): \(result)")
      #expect(result.out == whole.out, "\(missing)")
      let version = try CommandRunner.run(
        ["--version"], environment: ["TRITLAB_CPU_WITHOUT": missing])
      if missing.contains("ymm") || missing == "f16c" || missing == "fma" {
        #expect(!version.out.contains("avx"), "\(missing): \(version)")
      }
    }
    let wrong = try CommandRunner.run(words, environment: ["TRITLAB_CPU_WITHOUT": "f16"])
    #expect(wrong.status == 64)
    #expect(wrong.err.contains("did you mean 'f16c'?"), "\(wrong)")
  }

  // MARK: Disks and places

  @Test func aFullDiskLeavesNothingHalfWritten() throws {
    // A limit on the size of files stands in for a disk: the same calls fail in the same places.
    let small = try SmallExperiment()
    let words = small.words().map { "'\($0)'" }.joined(separator: " ")
    for blocks in [0, 1, 2, 4, 8, 16] {
      let result = try shell(
        "(ulimit -f \(blocks); timeout -k 5 60 $TRIT \(words) > /dev/null 2>&1); $TRIT --version > /dev/null"
      )
      #expect(result.out.hasSuffix("code=0\n"), "\(result)")
      #expect(small.leftovers() == [], "\(blocks)")
      _ = try small.records()
    }
    let export = try shell(
      "(ulimit -f 8; timeout -k 5 60 $TRIT export -m '\(small.model)' -o '\(folder.file("m.gguf"))')"
    )
    #expect(export.out.hasSuffix("code=1\n"), "\(export)")
    #expect(try folder.names() == [], "\(export)")
    for words in ["list", "--version", "schema", "list --json"] {
      let full = try shell("$TRIT \(words) > /dev/full")
      #expect(full.out == "code=1\n", "\(words): \(full)")
      #expect(full.err.contains("standard output: No space left on device"), "\(full)")
    }
  }

  @Test func homeAndTemporaryFoldersMayBeMissing() throws {
    let small = try SmallExperiment()
    let words = small.words().map { "'\($0)'" }.joined(separator: " ")
    for line in [
      "env -u HOME -u XDG_CACHE_HOME", "env -u XDG_CACHE_HOME HOME=/nonexistent",
      "env TMPDIR=/nonexistent", "env -i PATH=$PATH", "env LC_ALL=C", "env LC_ALL=xx_YY.none",
      "env XDG_CACHE_HOME=/dev/null", "env -u PATH",
    ] {
      let result = try shell("\(line) $TRIT \(words) --force > /dev/null")
      #expect(result.out == "code=0\n", "\(line): \(result)")
    }
  }

  @Test func folderThatCannotBeWrittenIsNamed() throws {
    // Nobody, not even root, makes files there.
    for place in ["/proc/none", "/dev/null/x"] {
      let result = try shell("$TRIT export -m builtin:tiny -o \(place)/m.gguf")
      #expect(result.out == "code=1\n", "\(result)")
      #expect(result.err.contains("trit: error: \(place)/m.gguf: cannot create"), "\(result)")
    }
    let long = String(repeating: "n", count: 300)
    let result = try shell("$TRIT export -m builtin:tiny -o '\(folder.file(long))'")
    #expect(result.out == "code=1\n" && result.err.contains("255 bytes"), "\(result)")
    #expect(try folder.names() == [])
  }

  // MARK: Streams

  @Test func streamsThatAreNotThere() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    for line in ["list >&-", "generate -m '\(model)' -p a -n 2 >&-", "--version <&-"] {
      let result = try shell("$TRIT \(line)")
      #expect(result.out.hasSuffix("code=0\n"), "\(line): \(result)")
    }
    // A reader that leaves: 128 + SIGPIPE, without a word.
    let left = try CommandRunner.shell("$TRIT list | head -1 >/dev/null; echo ${PIPESTATUS[0]}")
    #expect(["0\n", "141\n"].contains(left.out) && left.err == "", "\(left)")
    for line in [
      "tokenize -m '\(model)' -f - < '\(folder.path)'", "tokenize -m '\(model)' -f - <&-",
    ] {
      let result = try shell("$TRIT \(line)")
      expectOwnEnd(result, line)
    }
  }
}

/// Signals that ask to stop.
@Suite struct StopTests {
  static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU]

  private func training(_ folder: TemporaryFolder) throws -> [String] {
    var random = SeededRandom(seed: 3)
    let words = ["once", "upon", "a", "time", "the", "end", "cat", "sat", "on", "mat"]
    let text = (0..<6000).map { _ in words[random.below(words.count)] }.joined(separator: " ")
    try folder.write(text, to: "text.txt")
    let file = try folder.write(
      """
      name: small
      output: model
      data: {train: text.txt, tokens: 20000, valid-tokens: 600}
      tokenizer: {vocabulary: 300, bytes: 20000}
      model: {block: bitnet, hidden: 64, feed-forward: 128, layers: 2, heads: 2, context: 32}
      quantization: {quantizer: absmean, activations: int8}
      optimisation: {steps: 100000, batch: 2, length: 32, rate: 0.002, warmup: 4}
      checkpoint: {every: 100000}
      seed: 1
      """, to: "small.yaml")
    return ["train", file, "-o", folder.file("model"), "-t", "1"]
  }

  private func steps(_ folder: TemporaryFolder) -> Int {
    let path = folder.file("model/training/metrics.jsonl")
    return FileManager.default.contents(atPath: path)?.count { $0 == 0x0A } ?? 0
  }

  @Test(arguments: signals) func aTrainingThatIsStoppedKeepsItsSteps(signal: Int32) throws {
    let folder = try TemporaryFolder("stop")
    let words = try training(folder)
    let running = try RunningCommand(words)
    #expect(running.wait { steps(folder) >= 3 })
    running.send(signal)
    let result = running.end()
    #expect(result.status == 128 + signal, "\(result)")
    #expect(result.err.contains("trit: ") && result.err.contains("interrupted after step"))
    #expect(!result.err.contains("error:"), "\(result)")
    #expect(
      FileManager.default.fileExists(atPath: folder.file("model/training/state.safetensors")))
    // The advice, "the same command goes on from there", is true.
    let again = try RunningCommand(words)
    #expect(again.wait { again.err.contains("going on after step") })
    again.send(signal)
    _ = again.end()
  }

  @Test func aTrainingUnderNohupGoesOn() throws {
    let folder = try TemporaryFolder("nohup")
    let words = try training(folder).map { "'\($0)'" }.joined(separator: " ")
    let result = try CommandRunner.shell(
      "nohup $TRIT \(words) < /dev/null > /dev/null 2>&1 & pid=$!; "
        + "until [ \"$(wc -l < '\(folder.file("model/training/metrics.jsonl"))' 2>/dev/null || echo 0)\" -ge 3 ]; "
        + "do sleep 0.05; done; kill -HUP $pid; sleep 0.3; kill -0 $pid && echo alive; "
        + "kill -TERM $pid; wait $pid; echo $?")
    #expect(result.out == "alive\n143\n", "\(result)")
  }

  @Test(arguments: signals) func aRunThatIsStoppedSaysBySignal(signal: Int32) throws {
    let small = try SmallExperiment(isLong: true)
    let running = try RunningCommand(small.words())
    #expect(running.wait { small.count() >= 1 })
    running.send(signal)
    let result = running.end()
    #expect(result.status == 128 + signal, "\(result)")
    #expect(result.err.contains("trit: interrupted; what was measured is in"), "\(result)")
    #expect(try small.records().count >= 1)
    #expect(small.leftovers() == [])
  }

  @Test(arguments: signals) func perplexityThatIsStoppedHasNoResult(signal: Int32) throws {
    let folder = try TemporaryFolder("stop")
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let text = try folder.write(String(repeating: "once upon a time ", count: 20_000), to: "t.txt")
    let running = try RunningCommand(
      ["perplexity", "-m", model, "-f", text, "-c", "64", "-t", "1", "--kernel", "reference"])
    #expect(running.wait { running.err.contains("protocol llama.cpp") })
    running.send(signal)
    let result = running.end()
    #expect(result.status == 128 + signal, "\(result)")
    #expect(!result.out.contains("Final estimate"))
  }
}

import Foundation
import Testing
import TritLab
import _TritTestSupport

/// What a person meets when files are missing, damaged or hostile, or the run is stopped: an exit
/// code of the right kind, a message that says what and where, and nothing half written.
@Suite struct BadInputTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("bad") }

  private func generate(_ model: String, _ extra: String...) throws -> CommandResult {
    try CommandRunner.run(["generate", "-m", model, "-p", "a", "-n", "2", "-t", "1"] + extra)
  }

  private func expect(
    _ result: CommandResult, _ status: Int32, _ texts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == status, "\(result)", sourceLocation: sourceLocation)
    #expect(result.err.hasPrefix("trit: error: ") || result.err.contains("\ntrit: error: "))
    for text in texts {
      #expect(result.err.contains(text), "'\(text)' in \(result)", sourceLocation: sourceLocation)
    }
  }

  @Test func missingModelsSayWhatToDo() throws {
    expect(try generate("no/such/model"), 66, "no/such/model", "next: ")
    expect(try generate(folder.path), 66, folder.path)
    expect(try generate("builtin:nothing"), 66, "builtin:nothing")
    let cached = try CommandRunner.run(
      ["generate", "-m", "hf:org/name@v1", "-p", "a"], environment: ["HF_HUB_CACHE": folder.path])
    expect(cached, 66, "hf download org/name --revision v1")
    expect(try generate("hf:../../etc"), 64, "hf:ORG/NAME")
    let none = try CommandRunner.run(["generate", "-p", "a"])
    expect(none, 64, "Missing option '--model <model>'")
    let prompt = try CommandRunner.run(["generate", "-m", "x"])
    expect(prompt, 64, "Missing option '--prompt <text>' or '--file <file>'")
  }

  @Test func modelInTheEnvironmentStandsInForTheFlag() throws {
    let model = try TinyCheckpoint.write(.llamaDense, in: folder)
    let words = ["generate", "-p", "a", "-n", "1"]
    let result = try CommandRunner.run(words, environment: ["TRITLAB_MODEL": model])
    #expect(result.status == 0, "\(result)")
    let flagWins = try CommandRunner.run(
      words + ["-m", "no/such"], environment: ["TRITLAB_MODEL": model])
    expect(flagWins, 66, "no/such")
  }

  @Test func damagedWeightsAreNamed() throws {
    var broken = TinyCheckpoint(.bitnetOnline)
    broken.replace("model.layers.1.mlp.up_proj.weight") {
      $0.bytes.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F])
    }
    try broken.write(to: folder.file("nan"))
    expect(try generate(folder.file("nan")), 65, "up_proj", "not finite")

    broken = TinyCheckpoint(.llamaPacked)
    broken.replace("model.layers.0.self_attn.q_proj.weight") { $0.bytes[5] = 0xFF }
    try broken.write(to: folder.file("code"))
    expect(try generate(folder.file("code")), 65, "q_proj")

    broken = TinyCheckpoint(.bitnetPacked)
    broken.tensors.removeAll { $0.name == "model.layers.1.mlp.down_proj.weight" }
    try broken.write(to: folder.file("missing"))
    expect(try generate(folder.file("missing")), 65, "model.layers.1.mlp.down_proj.weight")

    broken = TinyCheckpoint(.llamaDense)
    broken.replace("model.norm.weight") {
      $0 = .init($0.name, shape: [64], floats: Array(repeating: 1, count: 64))
    }
    try broken.write(to: folder.file("shape"))
    expect(try generate(folder.file("shape")), 65, "model.norm.weight", "expected: ", "[64]")

    broken = TinyCheckpoint(.llamaDense)
    broken.config = broken.config.replacing("LlamaForCausalLM", with: "MambaForCausalLM")
      .replacing("\"llama\"", with: "\"mamba\"")
    try broken.write(to: folder.file("architecture"))
    expect(try generate(folder.file("architecture")), 65, "Mamba")

    broken = TinyCheckpoint(.llamaDense)
    broken.tokenizer = nil
    try broken.write(to: folder.file("no-tokenizer"))
    expect(try generate(folder.file("no-tokenizer")), 66, "tokenizer")
  }

  @Test func truncatedAndHostileFilesNeverCrash() throws {
    let whole = TinyCheckpoint(.bitnetPacked)
    try whole.write(to: folder.file("cut"))
    let bytes = whole.safetensors()
    for length in [0, 4, 8, 100, bytes.count / 2, bytes.count - 1] {
      try folder.write(Array(bytes[..<length]), to: "cut/model.safetensors")
      expect(try generate(folder.file("cut")), 65, "model.safetensors")
      expect(try CommandRunner.run(["inspect", folder.file("cut")]), 65, "model.safetensors")
    }
    try folder.write("{\"architectures\": [", to: "cut/config.json")
    expect(try generate(folder.file("cut")), 65, "config.json")
    try folder.write(Array("GGUF".utf8) + [UInt8](repeating: 0xFF, count: 60), to: "hostile.gguf")
    expect(try generate(folder.file("hostile.gguf")), 65, "hostile.gguf")
    try folder.write("not a model at all, only words", to: "words.gguf")
    expect(try CommandRunner.run(["inspect", folder.file("words.gguf")]), 65, "words.gguf")
    expect(try CommandRunner.run(["inspect", folder.file("absent.gguf")]), 66, "absent.gguf")
  }

  @Test func texts() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    try folder.write([0x61, 0x62, 0xFF, 0x63], to: "latin.txt")
    let latin = folder.file("latin.txt")
    expect(
      try CommandRunner.run(["generate", "-m", model, "-f", latin]), 65, "not UTF-8",
      "after 2 bytes")
    expect(
      try CommandRunner.run(["tokenize", "-m", model, "-f", folder.file("none")]), 66, "none")
    expect(
      try CommandRunner.run(["perplexity", "-m", model, "-f", folder.file("none")]), 66, "none")
    let empty = try folder.write("", to: "empty.txt")
    expect(try CommandRunner.run(["perplexity", "-m", model, "-f", empty]), 65, "empty")
    let long = try folder.write(String(repeating: "z", count: 400), to: "long.txt")
    expect(
      try CommandRunner.run(["generate", "-m", model, "-f", long]), 65, "does not fit", "256")
    // BOS alone is something to continue; without a token there is nothing.
    let bos = try CommandRunner.run(["generate", "-m", model, "-p", "", "-n", "2", "-t", "1"])
    #expect(bos.status == 0, "\(bos)")
    var bare = TinyCheckpoint(.bitnetOnline)
    bare.tokenizer = bare.tokenizer?.replacing(
      "{\"SpecialToken\": {\"id\": \"<|begin|>\", \"type_id\": 0}},", with: "")
    try bare.write(to: folder.file("bare"))
    expect(
      try CommandRunner.run(["generate", "-m", folder.file("bare"), "-p", ""]), 65, "no tokens")
  }

  @Test func outputsThatCannotBeWrittenLeaveNothing() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let target = folder.file("no/such/folder/out.safetensors")
    expect(
      try CommandRunner.run(["logits", "-m", model, "--tokens", "1,2", "-o", target]), 1,
      "no/such/folder")
    // A sequence that fails on the way leaves neither the file nor its temporary neighbour.
    let failed = try CommandRunner.run(
      ["logits", "-m", model, "--tokens", "1,2,99999", "-o", folder.file("out.safetensors")])
    expect(failed, 65, "outside the vocabulary", "99999")
    #expect(try folder.names().allSatisfy { !$0.contains("out.safetensors") })
    let full = try CommandRunner.shell("trit list --json > /dev/full")
    expect(full, 1, "standard output")
  }

  @Test func interruptionEndsGenerationWithItsOwnCode() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let text = try folder.write(String(repeating: "once upon a time ", count: 20_000), to: "t.txt")
    // A text that takes far longer than the test waits; `$TRIT` and not the function, whose process
    // is a shell's.
    let result = try CommandRunner.shell(
      "$TRIT perplexity -m '\(model)' -f '\(text)' -c 64 -t 1 --kernel reference & pid=$!; "
        + "sleep 1; kill -INT $pid; wait $pid; echo $?")
    #expect(result.out.hasSuffix("130\n"), "\(result)")
    #expect(result.err.contains("trit: interrupted"), "\(result)")
    #expect(!result.err.contains("error:"), "\(result)")
  }
}

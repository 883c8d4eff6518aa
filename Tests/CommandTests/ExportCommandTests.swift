import Foundation
import Testing
import TritLab
import _TritTestSupport

/// `trit export`, end to end.
@Suite struct ExportCommandTests {
  let folder: TemporaryFolder
  let model: String

  init() throws {
    folder = try TemporaryFolder("export-command")
    model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
  }

  @Test func theFileWritesTheSameText() throws {
    let file = folder.file("model.gguf")
    let result = try CommandRunner.run(["export", "-m", model, "-o", file])
    #expect(result.status == 0 && result.out.isEmpty, "\(result)")
    #expect(result.err.contains("wrote \(file): bitnet-b1.58, "))
    let text = { (path: String) in
      try CommandRunner.run(
        ["generate", "-m", path, "-p", "once upon a time", "-n", "16", "--temp", "0", "-t", "1"])
        .out
    }
    #expect(try text(file) == text(model))
  }

  /// What `trit doctor` says of codes in another order, done as it says.
  @Test(arguments: [I2SLayout.arm64, .rows4])
  func theAdviceForALayoutWorks(layout: I2SLayout) throws {
    let healthy = folder.file("healthy.gguf")
    let story = try Checkpoint(path: ModelLocation.resolve("builtin:storyteller"))
    try GGUFExport(story, linear: .i2_s).write(to: healthy)
    let path = folder.file("relaid.gguf")
    try RelaidCodes.write(healthy, as: layout, to: path)
    let doctor = try CommandRunner.run(["doctor", path, "--no-tensors", "--json"])
    #expect(doctor.status == 2, "\(doctor)")
    #expect(doctor.out.contains("--i2s-layout \(layout.rawValue)"))
    let ask = ["-p", "Once upon a time", "-n", "16", "--temp", "0", "-t", "1"]
    let wanted = try CommandRunner.run(["generate", "-m", healthy] + ask).out
    let option = ["--i2s-layout", layout.rawValue]
    #expect(try CommandRunner.run(["generate", "-m", path] + ask).out != wanted)
    #expect(try CommandRunner.run(["generate", "-m", path] + ask + option).out == wanted)
    let mended = folder.file("mended.gguf")
    let export = try CommandRunner.run(["export", "-m", path, "-o", mended] + option)
    #expect(export.status == 0, "\(export)")
    #expect(try CommandRunner.run(["generate", "-m", mended] + ask).out == wanted)
    #expect(try CommandRunner.run(["doctor", mended, "--no-tensors"]).status == 0)
  }

  /// The advice for a tokenizer that stays outside works: beside the file and by `--tokenizer`.
  @Test func withoutTokenizerTheTextIsTheSame() throws {
    let file = folder.file("alone/model.gguf")
    try FileManager.default.createDirectory(
      atPath: folder.file("alone"), withIntermediateDirectories: true)
    let result = try CommandRunner.run(["export", "-m", model, "-o", file, "--no-tokenizer"])
    #expect(result.status == 0, "\(result)")
    let ask = ["-p", "once upon a time", "-n", "16", "--temp", "0", "-t", "1"]
    let expected = try CommandRunner.run(["generate", "-m", model] + ask).out
    let missing = try CommandRunner.run(["generate", "-m", file] + ask)
    #expect(missing.status == 66 && missing.err.contains("--tokenizer"), "\(missing)")
    let beside = folder.file("alone/tokenizer.json")
    #expect(missing.err.contains(beside), "\(missing)")
    let tokenizer = model + "/tokenizer.json"
    for name in [tokenizer, model] {
      let named = try CommandRunner.run(["generate", "-m", file, "--tokenizer", name] + ask)
      #expect(named.out == expected, "\(named)")
    }
    for command in [["tokenize"], ["perplexity", "-f", tokenizer, "-c", "16", "--chunks", "1"]] {
      let text = command[0] == "tokenize" ? ["-p", "once"] : []
      let both = try [model, file].map { path in
        try CommandRunner.run(command + ["-m", path, "--tokenizer", tokenizer] + text).out
      }
      #expect(!both[0].isEmpty && both[0] == both[1], "\(both)")
    }
    try FileManager.default.copyItem(atPath: tokenizer, toPath: beside)
    let found = try CommandRunner.run(["generate", "-m", file] + ask)
    #expect(found.out == expected && found.err.contains(beside), "\(found)")
    let nowhere = try CommandRunner.run(
      ["generate", "-m", file, "--tokenizer", folder.file("nowhere.json")] + ask)
    #expect(nowhere.status == 66 && nowhere.err.contains("nowhere.json"), "\(nowhere)")
  }

  /// TinyStories-656K, whose tokenizer changes in GGUF, with the text that its first export had to
  /// give.
  @Test(.enabled(if: SharedData.isPresent))
  func aTokenizerThatGGUFCannotSayStaysOutside() throws {
    let source = try #require(SharedData.path("models/TinyStories-656K"))
    let file = folder.file("model.gguf")
    let refused = try CommandRunner.run(["export", "-m", source, "-o", file, "--type", "f32"])
    #expect(refused.status == 65 && refused.err.contains("--no-tokenizer"), "\(refused)")
    let done = try CommandRunner.run(
      ["export", "-m", source, "-o", file, "--type", "f32", "--no-tokenizer"])
    #expect(done.status == 0, "\(done)")
    try FileManager.default.copyItem(
      atPath: source + "/tokenizer.json", toPath: folder.file("tokenizer.json"))
    let greedy = try String(contentsOfFile: source + "/greedy.txt", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let prompt = "Once upon a time"
    let ask = [
      "-p", prompt, "-n", "200", "--temp", "0", "-t", "1", "--cache", "f32", "--head", "f32",
    ]
    let text = try CommandRunner.run(["generate", "-m", file] + ask).out
      .trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(
      text.hasPrefix(greedy) || (prompt + " " + text).hasPrefix(greedy), "\(text.prefix(80))")
    // A lone tokenizer.json does not know which token ends a text: the file does, and both end
    // where the folder does.
    let whole = try CommandRunner.run(
      ["generate", "-m", source, "-n", "400"] + ask.filter { $0 != "200" && $0 != "-n" })
    let long = try CommandRunner.run(
      ["generate", "-m", file, "-n", "400"] + ask.filter { $0 != "200" && $0 != "-n" })
    #expect(long.out == whole.out && whole.out.utf8.count < 1000, "\(long.out.utf8.count)")
    let named = try CommandRunner.run(
      ["generate", "-m", file, "--tokenizer", source + "/tokenizer.json"] + ask)
    #expect(named.out.trimmingCharacters(in: .whitespacesAndNewlines) == text)
  }

  @Test func whatCannotBeExportedIsSaid() throws {
    let file = folder.file("model.gguf")
    let wrongType = try CommandRunner.run(
      ["export", "-m", model, "-o", file, "--type", "i2_x"])
    #expect(wrongType.status == 64 && wrongType.err.contains("i2_s"), "\(wrongType)")
    let dense = try TinyCheckpoint.write(.llamaDense, seed: 3, in: folder)
    let floats = try CommandRunner.run(["export", "-m", dense, "-o", file])
    #expect(floats.status == 64 && floats.err.contains("--quantizer absmean"), "\(floats)")
    let nowhere = try CommandRunner.run(
      ["export", "-m", model, "-o", folder.file("no/folder/model.gguf")])
    #expect(nowhere.status == 1, "\(nowhere)")
    #expect(!FileManager.default.fileExists(atPath: file))
  }
}

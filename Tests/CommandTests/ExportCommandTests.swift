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

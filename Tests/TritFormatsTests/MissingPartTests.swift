import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Checkpoints of which a part is missing: each message says which, and the command that gets it.
@Suite struct MissingPartTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("parts") }

  private func error(_ body: () throws -> Void) -> LabError? {
    do {
      try body()
      return nil
    } catch { return error as? LabError }
  }

  private func shard(_ name: String, _ tensor: String) throws {
    let content = try TensorContent(name: tensor, type: .u8, shape: [1], bytes: [7])
    try SafetensorsWriter.write([content], to: folder.file(name))
  }

  @Test func shardsWithoutAnIndex() throws {
    try shard("model-00001-of-00003.safetensors", "a")
    try shard("model-00003-of-00003.safetensors", "c")
    let error = error { _ = try Safetensors.open(directory: folder.path) }
    #expect(
      error?.kind == .missingInput && error?.what.contains("no index") == true, "\(error as Any)")
    #expect(error?.got == "2 of 3 shards; model-00002-of-00003.safetensors missing too")
    #expect(
      error?.advice?.contains(
        "hf download ORG/NAME model.safetensors.index.json model-00002-of-00003.safetensors "
          + "--local-dir \(folder.path)") == true)
  }

  @Test func anIndexWithoutItsShards() throws {
    let map = (1...5).map { "\"t\($0)\": \"model-0000\($0)-of-00005.safetensors\"" }
    try folder.write("{\"weight_map\": {\(map.joined(separator: ","))}}", to: Safetensors.indexName)
    try shard("model-00002-of-00005.safetensors", "t2")
    let error = error { _ = try Safetensors.open(directory: folder.path) }
    #expect(error?.kind == .missingInput && error?.what == "shards of the checkpoint are missing")
    #expect(
      error?.got
        == "1 of them; model-00001-of-00005.safetensors, model-00003-of-00005.safetensors, "
        + "model-00004-of-00005.safetensors, model-00005-of-00005.safetensors missing",
      "\(error as Any)")
    #expect(
      error?.advice?.contains("hf download ORG/NAME model-00001-of-00005.safetensors") == true)
  }

  @Test func danglingLinksAreNoAbsence() throws {
    for name in [Safetensors.fileName, Safetensors.indexName] {
      try #require(symlink("../../blobs/00", folder.file(name)) == 0)
      let error = error { _ = try Safetensors.open(directory: folder.path) }
      #expect(error?.what == "a link whose target is not there", "\(name): \(error as Any)")
      #expect(error?.place?.hasSuffix(name) == true)
      try FileManager.default.removeItem(atPath: folder.file(name))
    }
    // A tokenizer that is half there is not one that is missing, nor are the settings beside it.
    for name in ["tokenizer.json", "tokenizer.model", "tokenizer_config.json", "config.json"] {
      try #require(symlink("../../blobs/00", folder.file(name)) == 0)
      let error = error { _ = try TokenizerLoader.load(path: folder.path) }
      #expect(error?.what == "a link whose target is not there", "\(name): \(error as Any)")
      try FileManager.default.removeItem(atPath: folder.file(name))
    }
  }

  @Test func whatLiesThereInsteadIsNamed() throws {
    try folder.write("x", to: "pytorch_model.bin")
    let pickles = error { _ = try Safetensors.open(directory: folder.path) }
    #expect(pickles?.what.contains("PyTorch") == true && pickles?.got == "pytorch_model.bin")
    try shard("weights.safetensors", "a")
    let other = error { _ = try Safetensors.open(directory: folder.path) }
    #expect(other?.advice?.contains("rename weights.safetensors to model.safetensors") == true)
    // The advice works.
    try FileManager.default.moveItem(
      atPath: folder.file("weights.safetensors"), toPath: folder.file("model.safetensors"))
    #expect(try Safetensors.open(directory: folder.path).tensors.count == 1)
  }

  @Test func otherFormatsUnderAModelsName() throws {
    try shard("m.safetensors", "a")
    let swapped = error { _ = try GGUFFile(path: folder.file("m.safetensors")) }
    #expect(
      swapped?.what == "this is a safetensors file, not a GGUF file" && swapped?.advice != nil)
    try folder.write("{\"architectures\": []}", to: "c.gguf")
    #expect(error { _ = try GGUFFile(path: folder.file("c.gguf")) }?.what.contains("JSON") == true)
    let gguf = try folder.write(GGUFHostileTests.file(), to: "m.gguf")
    try FileManager.default.copyItem(atPath: gguf, toPath: folder.file("x.safetensors"))
    let back = error { _ = try SafetensorsFile(path: folder.file("x.safetensors")) }
    #expect(back?.what == "this is a GGUF file, not a safetensors file")
  }

  @Test func laterPartsOfASplitFile() throws {
    // Cut by hand, a later part has no header at all.
    let bytes = (0..<100).map { UInt8($0 &+ 90) }
    let path = try folder.write(bytes, to: "m-00002-of-00003.gguf")
    let error = error { _ = try GGUFFile(path: path) }
    #expect(error?.what == "this is part 2 of 3 of a split GGUF model", "\(error as Any)")
    #expect(error?.got?.contains("1 of 3 parts are in the folder") == true)
    #expect(
      error?.advice?.contains("llama-gguf-split --merge m-00001-of-00003.gguf m.gguf") == true)
  }
}

import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Models that are not what they should be: a part of one, weights without anything in them, names
/// that lead nowhere.
@Suite struct StrangeModelTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("strange") }

  private func error<R>(_ body: () throws -> R) -> LabError? {
    do {
      _ = try body()
      return nil
    } catch { return error as? LabError }
  }

  /// A whole GGUF model with the keys of a part added.
  private func part(_ number: Int, of count: Int, name: String) throws -> String {
    let tiny = try Checkpoint(path: try TinyCheckpoint.write(.llamaDense, in: folder))
    try GGUFExport(tiny, linear: .f32).write(to: folder.file("whole.gguf"))
    let whole = try GGUFFile(path: folder.file("whole.gguf"))
    var writer = GGUFWriter()
    for (key, value) in whole.metadata { writer.set(key, value) }
    writer.set("split.no", .uint16(UInt16(number - 1)))
    writer.set("split.count", .uint16(UInt16(count)))
    writer.set("split.tensors.count", .int32(Int32(whole.tensors.count)))
    for info in whole.tensors {
      writer.add(
        try TensorContent(
          name: info.name, type: info.type, shape: info.shape, bytes: try whole.bytes(info.name)))
    }
    try writer.write(to: folder.file(name))
    return folder.file(name)
  }

  @Test func oneOfSeveralPartsIsNamed() throws {
    let path = try part(2, of: 3, name: "m-00002-of-00003.gguf")
    let error = error { try Checkpoint(path: path) }
    #expect(error?.what == "this is part 2 of 3 of a split GGUF model", "\(error as Any)")
    #expect(error?.got?.contains("m-00001-of-00003.gguf, m-00003-of-00003.gguf missing") == true)
    #expect(error?.advice?.contains("--merge m-00001-of-00003.gguf m.gguf") == true)
    // What it holds can be looked at.
    #expect(try GGUFFile(path: path)["split.count"]?.integer == 3)
    // By its keys alone, whatever it is called.
    let renamed = try part(1, of: 2, name: "renamed.gguf")
    #expect(self.error { try Checkpoint(path: renamed) }?.what.contains("part 1 of 2") == true)
    // One part of one is the whole.
    #expect(try Checkpoint(path: try part(1, of: 1, name: "one.gguf")).configuration.layers > 0)
  }

  @Test func aFolderOfPartsIsNoFolderOfSeveralModels() throws {
    let parts = folder.file("parts")
    try FileManager.default.createDirectory(atPath: parts, withIntermediateDirectories: true)
    for number in 1...2 {
      let path = try part(number, of: 2, name: "p.gguf")
      try FileManager.default.moveItem(
        atPath: path, toPath: "\(parts)/p-0000\(number)-of-00002.gguf")
    }
    #expect(try ModelLocation.resolve(parts) == "\(parts)/p-00001-of-00002.gguf")
    // Both hold the whole model here, which no split does.
    let twice = error { try Checkpoint(path: "\(parts)/p-00001-of-00002.gguf") }
    #expect(twice?.what.contains("do not hold all its tensors") == true, "\(twice as Any)")
  }

  @Test func foldersSayWhatTheyHoldInstead() throws {
    try folder.write("x", to: "model.safetensors")
    let weights = error { try ModelLocation.resolve(folder.path) }
    #expect(weights?.what == "the folder holds weights and no config.json", "\(weights as Any)")
    let empty = folder.file("empty")
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
    #expect(error { try ModelLocation.resolve(empty) }?.got == "an empty folder")
    try #require(symlink("../blobs/00", folder.file("link.gguf")) == 0)
    let link = error { try ModelLocation.resolve(folder.file("link.gguf")) }
    #expect(link?.what == "a link whose target is not there", "\(link as Any)")
    try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
    #expect(error { try ModelLocation.resolve(folder.file("pipe")) }?.got == "a pipe")
    #expect(error { try ModelLocation.resolve("/dev/zero") }?.got == "a device")
  }

  @Test func snapshotsThatWereNotFinished() throws {
    let snapshot = folder.file("models--org--name/snapshots/c0ffee")
    try FileManager.default.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
    try #require(symlink("../../blobs/00", snapshot + "/config.json") == 0)
    let path = try ModelLocation.resolve(snapshot)
    let error = error { try Checkpoint(path: path) }
    #expect(error?.advice?.contains("hf download org/name") == true, "\(error as Any)")
  }

  // MARK: Weights without anything in them

  private func engine(
    _ checkpoint: TinyCheckpoint, _ name: String, _ selection: StageSelection = .init()
  )
    throws -> Engine
  {
    try checkpoint.write(to: folder.file(name))
    return try Engine(
      checkpoint: try Checkpoint(path: folder.file(name)), selection: selection,
      options: EngineOptions(threads: 1, maxContext: 16))
  }

  private static func isLinear(_ name: String) -> Bool { name.contains("_proj.weight") }

  @Test(arguments: [TinyCheckpoint.Kind.llamaDense, .bitnetOnline, .bitnetPacked])
  func aModelOfZerosIsRefused(kind: TinyCheckpoint.Kind) throws {
    var tiny = TinyCheckpoint(kind)
    let isPacked = kind == .bitnetPacked
    for index in tiny.tensors.indices
    where Self.isLinear(tiny.tensors[index].name) && !tiny.tensors[index].name.hasSuffix("scale") {
      // Four codes of 1 are four trits of 0.
      tiny.tensors[index].bytes = tiny.tensors[index].bytes.map { _ in isPacked ? 0x55 : 0 }
    }
    let error = error { try engine(tiny, "zeros") }
    #expect(error?.what == "every weight of every linear layer is zero", "\(error as Any)")
    #expect(error?.kind == .badData && error?.place?.contains("blk.0.") == true)
  }

  @Test func oneLayerOfZerosIsTold() throws {
    var tiny = TinyCheckpoint(.bitnetPacked)
    tiny.replace("model.layers.1.mlp.down_proj.weight") { $0.bytes = $0.bytes.map { _ in 0x55 } }
    let notes = try engine(tiny, "one").notes
    #expect(notes.contains { $0.contains("all weights of blk.1.ffn_down are zero") }, "\(notes)")
    // A scale of 0 makes zeros of any trits.
    var scaled = TinyCheckpoint(.bitnetPacked)
    scaled.replace("model.layers.0.self_attn.q_proj.weight_scale") { $0.bytes = [0, 0, 0, 0] }
    let others = try engine(scaled, "scale").notes
    #expect(others.contains { $0.contains("blk.0.attn_q") && $0.contains("zero") }, "\(others)")
    #expect(
      try engine(TinyCheckpoint(.bitnetPacked), "good").notes.allSatisfy { !$0.contains("zero") })
  }

  @Test func scalesThatAreNoNumbersAreRefused() throws {
    for (name, bits) in [("nan", Float.nan), ("infinite", .infinity), ("negative", -1)] {
      var tiny = TinyCheckpoint(.bitnetPacked)
      tiny.replace("model.layers.0.mlp.up_proj.weight_scale") {
        $0 = .init($0.name, shape: [1], floats: [bits])
      }
      let error = error { try engine(tiny, name) }
      #expect(
        error?.kind == .badData && error?.description.contains("up_proj") == true, "\(error as Any)"
      )
    }
    var tiny = TinyCheckpoint(.llamaPacked)
    // A dividing scale of 0 is a multiplying one of infinity.
    tiny.replace("model.layers.0.mlp.up_proj.weight_scale") { $0.bytes = [0, 0, 0, 0] }
    #expect(error { try engine(tiny, "divided") }?.description.contains("up_proj") == true)
  }
}

import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct WeightImagesTests {
  private let folder: TemporaryFolder
  private let cache: String

  init() throws {
    folder = try TemporaryFolder("images")
    cache = folder.file("cache/images")
  }

  private func images(limit: Int = 1 << 30, writes: Bool = true) -> WeightImages {
    WeightImages(folder: cache, limit: limit, smallest: 0, writes: writes)
  }

  private func engine(
    _ path: String, _ images: WeightImages?,
    _ selection: StageSelection = StageSelection(
      kernel: StageChoice("i2_s"), head: StageChoice("int8"))
  ) throws -> Engine {
    var options = EngineOptions()
    options.images = images
    return try Engine(
      checkpoint: Checkpoint(path: path), selection: selection, options: options)
  }

  private let text = Array("Once upon a time there was a fox.".utf8).map(Int.init)

  private func logits(_ engine: Engine) throws -> [UInt32] {
    engine.reset()
    var all: [UInt32] = []
    try engine.forEachLogits(of: text, from: 0) { all += $1.map(\.bitPattern) }
    return all
  }

  @Test(
    arguments: TinyCheckpoint.Kind.allCases,
    ["i2_s", "base3", "tl2", "int8", "auto", "i2_s/scalar"])
  func aSecondStartIsTheFirst(kind: TinyCheckpoint.Kind, kernel: String) throws {
    guard kind != .llamaDense || kernel == "auto" else { return }
    let path = try TinyCheckpoint.write(kind, in: folder)
    for head in ["int8", "screened", "exact"] {
      let selection = StageSelection(
        kernel: StageChoice(kernel), head: StageChoice(head),
        layers: [LayerOverride(pattern: "blk.1.*", activations: StageChoice("int8-clipped"))])
      guard let plain = try? engine(path, nil, selection) else { continue }
      let first = try engine(path, images(), selection)
      let second = try engine(path, images(), selection)
      #expect(try logits(first) == logits(plain))
      #expect(try logits(second) == logits(plain))
      #expect(second.layers.map(\.kernel) == first.layers.map(\.kernel))
      #expect(second.layers.map(\.form) == first.layers.map(\.form))
      #expect(second.layers.map(\.provenance) == first.layers.map(\.provenance))
      #expect(second.layers.map(\.activations) == first.layers.map(\.activations))
      #expect(second.weightBytes == first.weightBytes)
      #expect(second.headReport.kernel == first.headReport.kernel)
      // Dense layers and float32 heads are read where they lie: there is nothing to prepare.
      let keepsLayers = kind != .llamaDense
      let keepsHead = !second.headReport.kernel.hasPrefix("f32")
      #expect(
        second.imagePaths.map { $0.contains("/layers-") ? "layers" : "head" }
          == (keepsLayers ? ["layers"] : []) + (keepsHead ? ["head"] : []), "\(head)")
    }
  }

  @Test func anotherModelAnotherChoiceAndAnotherThreadCountAreOthers() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    _ = try engine(path, images())
    #expect(try engine(path, images()).imagePaths.count == 2)
    let other = StageSelection(kernel: StageChoice("base3"), head: StageChoice("int6"))
    #expect(try engine(path, images(), other).imagePaths.isEmpty)
    // The same bytes, written anew: times and inode tell.
    let file = path + "/model.safetensors"
    let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    try bytes.write(to: URL(fileURLWithPath: file))
    #expect(try engine(path, images()).imagePaths.isEmpty)
    // The configuration counts too.
    let config = path + "/config.json"
    let json = try String(contentsOfFile: config, encoding: .utf8)
    try (json + "\n").write(toFile: config, atomically: true, encoding: .utf8)
    #expect(try engine(path, images()).imagePaths.isEmpty)
    #expect(try engine(path, images()).imagePaths.count == 2)
  }

  /// Damage of every kind costs the time of preparing, never another model.
  @Test func damagedImagesAreMadeAgain() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    let expected = try logits(try engine(path, images()))
    let files = try images().entries().map(\.path)
    #expect(files.count == 2)
    for file in files {
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      var manifest = whole
      let range = try #require(manifest.range(of: Data("\"starts\":[".utf8)))
      manifest.replaceSubrange(range, with: Data("\"stars_\":[".utf8))
      var sizes = whole
      let second = try #require(sizes.range(of: Data("\"sizes\":[".utf8)))
      let digit = second.upperBound
      sizes[digit] = sizes[digit] == UInt8(ascii: "9") ? UInt8(ascii: "8") : sizes[digit] + 1
      var magic = whole
      magic[0] = 0
      for (name, damaged) in [
        ("cut", whole.prefix(whole.count / 2)), ("empty", Data()), ("magic", magic),
        ("manifest", manifest), ("sizes", sizes),
      ] {
        try damaged.write(to: URL(fileURLWithPath: file))
        let cache = images()
        let engine = try engine(path, cache)
        #expect(try logits(engine) == expected, "\(name)")
        #expect(cache.notes.contains { $0.contains("made again") }, "\(name)")
        #expect(try self.engine(path, images()).imagePaths.count == 2, "\(name)")
      }
    }
  }

  @Test func aFolderOfOthersIsNotUsed() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    _ = try engine(path, images())
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: cache)
    let open = images()
    #expect(try engine(path, open).imagePaths.isEmpty)
    #expect(open.notes.contains { $0.contains("chmod 700") })
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: cache)
    #expect(try engine(path, images()).imagePaths.count == 2)
    // What the first start makes is this user's alone.
    let made = folder.file("made")
    _ = try engine(path, WeightImages(folder: made + "/deep", smallest: 0))
    for folder in [made, made + "/deep"] {
      let rights = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions]
      #expect(rights as? Int == 0o700)
    }
  }

  @Test func imagesStayWithinTheirLimit() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    let small = images(limit: 1 << 20)
    #expect(try engine(path, small).imagePaths.isEmpty)
    #expect(try small.entries().isEmpty)
    #expect(small.notes.contains { $0.contains("limit") })
    // Room for three files of 2 MiB and what one more may take: the one used longest ago goes.
    let cache = images(limit: 9 << 20)
    let choices = ["i2_s", "base3"].map {
      StageSelection(kernel: StageChoice($0), head: StageChoice("int8"))
    }
    for choice in choices { _ = try engine(path, cache, choice) }
    #expect(try cache.entries().count == 3)
    for entry in try cache.entries() where entry.content.contains("i2_s") {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: entry.path)
    }
    _ = try engine(
      path, cache, StageSelection(kernel: StageChoice("base3"), head: StageChoice("int4")))
    let left = try cache.entries()
    #expect(left.count == 3)
    #expect(!left.contains { $0.content.contains("i2_s") })
  }

  @Test func clearAndVerify() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    let cache = images()
    #expect(try cache.entries().isEmpty)
    #expect(try cache.clear().count == 0)
    _ = try engine(path, cache)
    let entries = try cache.entries()
    #expect(Set(entries.map(\.model)) == [path])
    for entry in entries { #expect(try cache.verify(entry) == nil) }
    let handle = try #require(FileHandle(forUpdatingAtPath: entries[0].path))
    try handle.seek(toOffset: UInt64(entries[0].bytes / 100))
    try handle.write(contentsOf: [1, 2, 3, 4])
    try handle.close()
    let fault = try cache.verify(entries[0])
    #expect(fault?.contains("not those that were written") == true)
    #expect(try cache.verify(entries[1]) == nil)
    try FileManager.default.removeItem(atPath: path + "/model.safetensors")
    #expect(try cache.verify(entries[1])?.contains("is gone") == true)
    #expect(try cache.clear().count == 2)
    #expect(try cache.entries().isEmpty)
  }

  @Test func readersWriteNothing() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    _ = try engine(path, images(writes: false))
    #expect(!FileManager.default.fileExists(atPath: cache))
    // Nor is anything written where it is not worth it.
    _ = try engine(path, WeightImages(folder: cache))
    #expect(!FileManager.default.fileExists(atPath: cache))
    _ = try engine(path, images())
    #expect(try engine(path, images(writes: false)).imagePaths.count == 2)
  }

  /// A disk without room: the start goes on, nothing is left behind.
  @Test func whatCannotBeWrittenIsANote() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    let file = try folder.write("no folder", to: "file")
    let cache = WeightImages(folder: file + "/images", smallest: 0)
    #expect(try engine(path, cache).imagePaths.isEmpty)
    #expect(cache.notes.contains { $0.contains("cannot be made") })
  }

  @Test func anEngineNeedsNoTokenizer() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    try Data("{".utf8).write(to: URL(fileURLWithPath: path + "/tokenizer.json"))
    #expect(throws: LabError.self) { try self.engine(path, nil) }
    var options = EngineOptions()
    options.readsTokenizer = false
    let engine = try Engine(checkpoint: Checkpoint(path: path), options: options)
    #expect(try engine.prefill(text).count == engine.vocabularySize)
    #expect(throws: LabError.self) {
      try engine.tokenizer.encode("a", addSpecial: false, parseSpecial: false)
    }
  }
}

import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Models in several GGUF files, as llama.cpp's `gguf-split` writes them: keys in the first part,
/// `split.no` (from 0), `split.count` and `split.tensors.count` in each.
@Suite struct SplitGGUFTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("split") }

  /// Parts with one tensor each, whose bytes are its number.
  private func write(
    _ count: Int, stem: String = "m", only: Set<Int>? = nil,
    change: (Int, inout GGUFWriter) -> Void = { _, _ in }
  ) throws {
    for number in 0..<count where only?.contains(number) ?? true {
      var writer = GGUFWriter()
      if number == 0 { writer.set("general.architecture", .string("llama")) }
      writer.set("split.no", .uint16(UInt16(number)))
      writer.set("split.count", .uint16(UInt16(count)))
      writer.set("split.tensors.count", .int32(Int32(count)))
      writer.add(
        try TensorContent(
          name: "t\(number)", type: .i8, shape: [3],
          bytes: .init(repeating: UInt8(number), count: 3)))
      change(number, &writer)
      try writer.write(to: path(number, of: count, stem))
    }
  }

  private func path(_ number: Int, of count: Int, _ stem: String = "m") -> String {
    folder.file("\(stem)-0000\(number + 1)-of-0000\(count).gguf")
  }

  private func error(_ body: () throws -> Void) -> LabError? {
    do {
      try body()
      return nil
    } catch { return error as? LabError }
  }

  /// Whichever part is named, and the folder too.
  @Test func allPartsAreOneModel() throws {
    try write(3)
    let folderFile = try #require(try TensorFile.open(folder.path) as? GGUFFile)
    for file in try (0..<3).map({ try GGUFFile(path: path($0, of: 3)) }) + [folderFile] {
      #expect(file.tensors.map(\.name) == ["t0", "t1", "t2"] && file.fileCount == 3)
      #expect(file["general.architecture"]?.string == "llama")
      for number in 0..<3 {
        #expect(try Array(file.bytes("t\(number)")) == [UInt8](repeating: UInt8(number), count: 3))
        file.release("t\(number)")
      }
      #expect(file.info("t3") == nil && file.typeID("t1") == 24)
      #expect(ModelPart(file) == nil)
    }
    #expect(try ModelLocation.resolve(folder.path) == path(0, of: 3))
    let text = TensorListing.lines(folderFile).joined(separator: "\n")
    #expect(text.contains("GGUF version 3 in 3 files"))
  }

  @Test func aMissingPartIsNamed() throws {
    try write(3, only: [0, 2])
    let file = try GGUFFile(path: path(0, of: 3))
    #expect(file.tensors.map(\.name) == ["t0"])
    let part = try #require(ModelPart(file)).error(at: file.path)
    #expect(part.got?.contains("2 of 3 parts are in the folder; m-00002-of-00003.gguf") == true)
    let found = error { _ = try ModelLocation.resolve(folder.path) }
    #expect(found?.got?.contains("m-00002-of-00003.gguf missing") == true, "\(found as Any)")
    // The advice works: with the missing part it opens.
    try write(3, only: [1])
    #expect(try GGUFFile(path: path(0, of: 3)).tensors.count == 3)
  }

  @Test func partsThatDoNotBelongTogetherAreRefused() throws {
    try write(2) { number, writer in
      if number == 1 { writer.set("split.no", .uint16(0)) }
    }
    let order = error { _ = try GGUFFile(path: path(0, of: 2)) }
    #expect(order?.what == "this is not part 2 of 2 of the model", "\(order as Any)")
    #expect(order?.place?.hasSuffix("split.no") == true && order?.got == "0")
    try write(2, stem: "n") { _, writer in writer.set("split.tensors.count", .int32(7)) }
    let count = error { _ = try GGUFFile(path: path(1, of: 2, "n")) }
    #expect(count?.expected == "7 in 2 parts" && count?.got == "2", "\(count as Any)")
    try write(2, stem: "d") { number, writer in
      guard number == 1,
        let twin = try? TensorContent(name: "t0", type: .i8, shape: [1], bytes: [9])
      else { return }
      writer.add(twin)
      writer.set("split.tensors.count", .int32(3))
    }
    let twins = error { _ = try GGUFFile(path: path(1, of: 2, "d")) }
    #expect(twins?.what.contains("tensor") == true, "\(twins as Any)")
  }

  /// A model of one part is a whole file, whatever its name.
  @Test func onePartIsAWholeModel() throws {
    try write(1)
    #expect(try GGUFFile(path: path(0, of: 1)).tensors.count == 1)
    #expect(try ModelLocation.resolve(folder.path) == path(0, of: 1))
  }
}

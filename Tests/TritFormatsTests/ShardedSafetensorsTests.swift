import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct ShardedSafetensorsTests {
  static func folder(index: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (file, names) in [("one", ["a", "b"]), ("two", ["c"])] {
      let tensors = try names.map {
        try TensorContent(name: $0, type: .u8, shape: [1], bytes: Array($0.utf8))
      }
      try SafetensorsWriter.write(
        tensors, metadata: ["from": file], to: folder.file("\(file).safetensors"))
    }
    try folder.write(index, to: Safetensors.indexName)
    return folder
  }

  static let index =
    #"{"metadata":{"total_size":3},"weight_map":{"a":"one.safetensors","c":"two.safetensors","b":"one.safetensors"}}"#

  @Test func readsAllFiles() throws {
    let folder = try Self.folder(index: Self.index)
    let source = try Safetensors.open(directory: folder.path)
    #expect(source.tensors.map(\.name) == ["a", "b", "c"])
    #expect(try Array(source.bytes("c")) == Array("c".utf8))
    #expect(source.info("d") == nil)
    #expect(throws: LabError.self) { try source.bytes("d") }
    #expect(TensorListing.lines(source)[0].contains("2 files"))
  }

  /// The files are mapped for as long as the variable lives, not until its last use.
  @Test func bytesStayWhileTheSourceIsInScope() throws {
    let folder = try Self.folder(index: Self.index)
    let source = try ShardedSafetensors(path: folder.file(Safetensors.indexName))
    let bytes = try source.bytes("c")
    var sum = 0
    for _ in 0..<1000 { sum += Int(bytes[0]) }
    #expect(sum == 1000 * 0x63)
    #expect(source.shards.map(\.tensors.count) == [2, 1])
  }

  @Test(arguments: [
    ("{}", "weight_map"), (#"{"weight_map":[]}"#, "weight_map"),
    (#"{"weight_map":{"a":1}}"#, "no file name"),
    (#"{"weight_map":{"a":"../one.safetensors"}}"#, "refused"),
    (#"{"weight_map":{"a":"/etc/x.safetensors"}}"#, "refused"),
    (#"{"weight_map":{"a":"sub/one.safetensors"}}"#, "refused"),
    (#"{"weight_map":{"a":"..\\one.safetensors"}}"#, "refused"),
    (#"{"weight_map":{"a":"one.safetensors\u0000"}}"#, "refused"),
    (#"{"weight_map":{"a":"..safetensors"}}"#, "refused"),
    (#"{"weight_map":{"a":""}}"#, "refused"), (#"{"weight_map":{"a":"passwd"}}"#, "refused"),
    (#"{"weight_map":{"a":"three.safetensors"}}"#, "three.safetensors"),
    (#"{"weight_map":{"a":"one.safetensors","x":"one.safetensors"}}"#, "'x' is not in"),
    (#"{"weight_map":{"a":"one.safetensors"}}"#, "'b' is in"),
    (#"{"weight_map":{"a":"two.safetensors"}}"#, "'a' is not in"),
    (#"{"weight_map":{"a":"one.safetensors","a":"one.safetensors"}}"#, "twice"),
    ("", "the file is empty"),
  ]) func badIndexesAreNamedErrors(index: String, part: String) throws {
    let folder = try Self.folder(index: index)
    let error = #expect(throws: LabError.self) { try Safetensors.open(directory: folder.path) }
    #expect(error?.description.contains(part) == true, "\(error)")
  }

  @Test func aFolderWithoutWeightsSaysWhatItNeeds() throws {
    let folder = try TemporaryFolder()
    for path in [folder.path, folder.file("absent")] {
      let error = #expect(throws: LabError.self) { try Safetensors.open(directory: path) }
      #expect(error?.kind == .missingInput && error?.expected?.contains("config.json") == true)
    }
    let tensor = try TensorContent(name: "a", type: .u8, shape: [1], bytes: [7])
    try SafetensorsWriter.write([tensor], to: folder.file(Safetensors.fileName))
    #expect(try Safetensors.open(directory: folder.path).tensors.count == 1)
  }
}

import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite(.enabled(if: SharedData.isPresent)) struct RealFileTests {
  /// Every file below `data/` whose name ends so.
  static func files(_ suffix: String) -> [String] {
    guard let root = SharedData.root,
      let walk = FileManager.default.enumerator(atPath: root + "/data")
    else { return [] }
    return walk.compactMap { $0 as? String }.filter { $0.hasSuffix(suffix) }.sorted()
      .map { root + "/data/" + $0 }
  }

  @Test(arguments: files(".safetensors")) func safetensorsOpen(path: String) throws {
    let file = try SafetensorsFile(path: path)
    #expect(!file.tensors.isEmpty)
    for info in file.tensors {
      #expect(try file.bytes(info.name).count == info.byteCount)
      #expect(try file.floats(info.name).count == info.count)
    }
  }

  @Test(arguments: files(".gguf")) func ggufOpens(path: String) throws {
    let file = try GGUFFile(path: path)
    #expect(file["tokenizer.ggml.tokens"]?.strings?.isEmpty == false)
    for info in file.tensors {
      #expect(try file.bytes(info.name).count == info.byteCount)
      if info.type == .i2_s {
        #expect(throws: LabError.self) { try file.floats(info.name) }
      } else {
        #expect(try file.floats(info.name).elements.allSatisfy { $0.isFinite })
      }
    }
  }

  @Test(arguments: files(".json")) func jsonRoundTrips(path: String) throws {
    let value = try JSONReader.readFile(path)
    #expect(value.object?.isEmpty == false)
  }
}

import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite(.enabled(if: SharedData.isPresent)) struct RealFileTests {
  /// Every file below `data/` whose name ends so, but for `cases/`, whose files are broken on
  /// purpose.
  static func files(_ suffix: String) -> [String] {
    guard let root = SharedData.root,
      let walk = FileManager.default.enumerator(atPath: root + "/data")
    else { return [] }
    return walk.compactMap { $0 as? String }.filter {
      $0.hasSuffix(suffix) && !$0.hasPrefix("cases/")
    }
    .sorted()
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
      if FloatEncoding.types.contains(info.type) {
        #expect(try file.floats(info.name).elements.allSatisfy { $0.isFinite })
      } else {
        let error = #expect(throws: LabError.self) { try file.floats(info.name) }
        #expect(error?.what.contains("trits") == true)
      }
    }
  }

  @Test(arguments: files(".json")) func jsonRoundTrips(path: String) throws {
    let value = try JSONReader.readFile(path)
    #expect(value.object?.isEmpty == false || value.array?.isEmpty == false)
  }
}

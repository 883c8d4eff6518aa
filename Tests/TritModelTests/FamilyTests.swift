import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Logits and embeddings that PyTorch computed in float64 for small random checkpoints of every
/// family (transformers 5.24), and GGUF files of the same weights.
@Suite(.enabled(if: SharedData.isPresent)) struct FamilyTests {
  /// A checkpoint, and max |float32 − float64| of PyTorch's own logits.
  struct Family: Sendable, CustomTestStringConvertible {
    let name: String
    let noise: Double
    var testDescription: String { name }

    static let all = [
      Family(name: "qwen3-group128", noise: 9e-6), Family(name: "qwen3-tern256", noise: 9e-6),
      Family(name: "qwen3-binary128", noise: 9e-6), Family(name: "qwen2-bias", noise: 1.4e-5),
      Family(name: "gemma3-text", noise: 1.9e-5), Family(name: "minicpm-group128", noise: 3e-6),
      Family(name: "granite", noise: 7e-6), Family(name: "mistral-window", noise: 2e-5),
    ]
  }

  private func engine(
    _ path: String, attention: String = "flash", kernel: String = "auto", chunk: Int = 512
  ) throws -> Engine {
    var options = EngineOptions(chunk: chunk)
    options.readsTokenizer = false
    return try Engine(
      checkpoint: Checkpoint(path: path),
      selection: StageSelection(
        kernel: StageChoice(kernel), attention: StageChoice(attention), cache: StageChoice("f32"),
        head: StageChoice("f32")), options: options)
  }

  @Test(arguments: Family.all, ["naive", "streaming", "flash"])
  func logitsAgreeWithPyTorch(family: Family, attention: String) throws {
    let folder = try #require(SharedData.path("families/" + family.name))
    let engine = try engine(folder, attention: attention)
    let (kl, worst, sameTop) = try Expected(folder).compare(engine)
    print(
      "family \(family.name), \(attention): worst |Δlogit| \(worst), KL \(kl), same top \(sameTop)")
    // Another order of float32 sums than PyTorch's: within four of its own distances to float64.
    #expect(worst <= 4 * max(family.noise, 1e-5))
    #expect(sameTop == 1)
  }

  /// A window and rotary tables of two kinds must not depend on how a prompt is cut.
  @Test(arguments: Family.all) func chunksAreTheWhole(family: Family) throws {
    let folder = try #require(SharedData.path("families/" + family.name))
    let expected = try Expected(folder)
    #expect(try expected.compare(engine(folder, chunk: 7)).worst <= 4 * max(family.noise, 1e-5))
  }

  @Test(arguments: Family.all) func greedyContinuationIsPyTorchs(family: Family) throws {
    let folder = try #require(SharedData.path("families/" + family.name))
    let expected = try Expected(folder)
    let result = try engine(folder).generate(
      prompt: Array(expected.tokens.prefix(16)),
      options: GenerationOptions(
        sampling: .greedy, maxTokens: expected.greedy.count, ignoresEnd: true))
    #expect(result.tokens == expected.greedy)
  }

  /// GGUF files of the same weights, with the rounding of their type: figures of an independent
  /// reader of the files (float16 of what float16 cannot hold apart).
  @Test(arguments: [
    ("qwen3-f16", "qwen3-group128", 4e-5), ("minicpm-f16", "minicpm-group128", 4e-5),
    ("qwen2-bias-f16", "qwen2-bias", 1.5e-2), ("gemma3-text-f16", "gemma3-text", 6e-3),
    ("refuse-hadamard-qwen3-f32", "qwen3-group128", 4e-5),
  ])
  func ggufAgreesWithPyTorch(file: String, family: String, bound: Double) throws {
    let path = try #require(SharedData.path("containers/\(file).gguf"))
    let folder = try #require(SharedData.path("families/" + family))
    let (_, worst, _) = try Expected(folder).compare(engine(path))
    print("container \(file): worst |Δlogit| \(worst)")
    #expect(worst <= bound)
  }

  /// Cosine to PyTorch's float64 embeddings: safetensors and exact trits 0.9995, float16 norms
  /// 0.999, float16 masters 0.998.
  @Test(arguments: [
    ("families/embedding-qwen3", "embedding-qwen3", 0.9995),
    ("families/embedding-gemma3", "embedding-gemma3", 0.9995),
    ("containers/embedding-qwen3-i2_s-exact.gguf", "embedding-qwen3", 0.9995),
    ("containers/embedding-qwen3-i2_s.gguf", "embedding-qwen3", 0.999),
    ("containers/embedding-gemma3-f16.gguf", "embedding-gemma3", 0.998),
  ])
  func embeddingsAgreeWithPyTorch(path: String, family: String, least: Double) throws {
    let path = try #require(SharedData.path(path))
    let folder = try #require(SharedData.path("families/" + family))
    let file = try SafetensorsFile(path: folder + "/expected.safetensors")
    let engine = try engine(path)
    #expect(path.hasSuffix("gguf") == (engine.configuration.pooling == .last))
    for index in 0..<4 {
      let tokens = try file.bytes("tokens.\(index)")
      let wanted = try file.bytes("embedding_f64.\(index)")
      let ids = (0..<tokens.count / 4).map {
        Int(tokens.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
      }
      let expected = (0..<wanted.count / 8).map {
        wanted.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self)
      }
      let got = try engine.embed(ids).map(Double.init)
      let cosine =
        zip(got, expected).reduce(0) { $0 + $1.0 * $1.1 }
        / (expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
      print("embedding \(path.split(separator: "/").last ?? ""), text \(index): cosine \(cosine)")
      #expect(cosine >= least)
      #expect(abs(got.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    }
  }
}

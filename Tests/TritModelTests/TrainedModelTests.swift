import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Trained models with texts and figures that other programs computed.
@Suite(.enabled(if: SharedData.isPresent)) struct TrainedModelTests {
  private let exact = StageSelection(cache: StageChoice("f32"), head: StageChoice("f32"))

  private func engine(_ name: String, _ selection: StageSelection) throws -> Engine {
    let path = try #require(SharedData.path("models/" + name))
    return try Engine(checkpoint: Checkpoint(path: path), selection: selection)
  }

  private func greedy(_ engine: Engine, _ prompt: String, _ count: Int) throws -> String {
    let options = GenerationOptions(sampling: .greedy, maxTokens: count)
    return try engine.generate(text: prompt, options: options).text
  }

  @Test func stories260KIsGreedyByteForByte() throws {
    let path = try #require(SharedData.path("models/stories260K/greedy.txt"))
    let expected = try String(contentsOfFile: path, encoding: .utf8)
    let engine = try engine("stories260K/stories260K.gguf", exact)
    let text = "Once upon a time" + (try greedy(engine, "Once upon a time", 200))
    #expect(text.hasPrefix(expected), "\(text)")
  }

  @Test func tinyStories656KIsGreedyByteForByte() throws {
    let path = try #require(SharedData.path("models/TinyStories-656K/greedy.txt"))
    let expected = try String(contentsOfFile: path, encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let engine = try engine("TinyStories-656K", exact)
    let text = "Once upon a time" + (try greedy(engine, "Once upon a time", 200))
    #expect(text.hasPrefix(expected), "\(text)")
  }

  /// PyTorch's logits over its own 201 greedy tokens; int8 rounding is the only noise.
  @Test(arguments: ["bitstories-3M", "bitstories-3M/bitstories-3M-i2_s.gguf"])
  func bitstoriesAgreesWithPyTorch(name: String) throws {
    let engine = try engine(name, exact)
    let expected = try Expected(try #require(SharedData.path("models/bitstories-3M")))
    let (kl, worst, sameTop) = try expected.compare(engine)
    print("golden \(name): mean KL \(kl), worst |Δlogit| \(worst), same top \(sameTop)")
    #expect(kl <= 3e-4)
    #expect(sameTop >= 0.99)
  }

  @Test func kernelsOfOnePackingGiveOneText() throws {
    var texts: [String: String] = [:]
    for kernel in ["reference", "i2_s/scalar", "i2_s", "tl1", "tl2"] {
      let engine = try engine(
        "bitstories-3M",
        StageSelection(
          kernel: StageChoice(kernel), cache: StageChoice("f32"), head: StageChoice("f32")))
      texts[kernel] = try greedy(engine, "Once upon a time", 100)
    }
    #expect(Set(texts.values).count == 1, "\(texts)")
  }
}

import Foundation
import Testing
import TritLab

@Suite struct BuiltinModelTests {
  private func storyteller(_ selection: StageSelection = StageSelection()) throws -> Engine {
    let path = try ModelLocation.resolve("builtin:storyteller")
    return try Engine(checkpoint: Checkpoint(path: path), selection: selection)
  }

  @Test func theStorytellerShips() throws {
    #expect(BuiltinModels.names.contains("storyteller"))
    #expect(throws: LabError.self) { try ModelLocation.resolve("builtin:storyteler") }
    #expect(throws: LabError.self) { try ModelLocation.resolve("builtin:../storyteller") }
  }

  @Test func itTellsTheSameStoryByEveryPacking() throws {
    var stories: Set<String> = []
    for kernel in ["reference", "i2_s", "i2_s/scalar", "tl1", "tl2", "base3", "auto"] {
      let engine = try storyteller(StageSelection(kernel: StageChoice(kernel)))
      let options = GenerationOptions(sampling: .greedy, maxTokens: 60)
      stories.insert(try engine.generate(text: "Once upon a time", options: options).text)
    }
    #expect(stories.count == 1)
    #expect(stories.first?.hasPrefix(" a little rabbit named ") == true)
  }

  /// Logits of a prompt that is multiplied as many tokens, and of two tokens after it, bit by bit.
  @Test(arguments: ["", "/scalar"], [1, 2])
  func skippingZerosChangesNoBit(instructionSet: String, threads: Int) throws {
    func logits(_ layers: [LayerOverride]) throws -> [UInt32] {
      let engine = try Engine(
        checkpoint: Checkpoint(path: ModelLocation.resolve("builtin:storyteller")),
        selection: StageSelection(kernel: StageChoice("i2_s"), layers: layers),
        options: EngineOptions(threads: threads))
      let kernels = Set(engine.layers.map { $0.kernel.prefix { $0 != "/" } })
      #expect(kernels.count == (layers.isEmpty ? 1 : 3))
      let text = "Once upon a time there was a big dog named Max. One day Max went to the park with"
      let tokens = try engine.tokenizer.encode(text, addSpecial: true, parseSpecial: true)
      #expect(tokens.count > 8)
      var bits = try engine.prefill(tokens).map(\.bitPattern)
      for token in tokens.prefix(2) { bits += try engine.decode(token).map(\.bitPattern) }
      return bits
    }
    let sparse = [
      LayerOverride(
        pattern: "*.ffn_down", kernel: StageChoice("sparse_columns" + instructionSet)),
      LayerOverride(pattern: "*.ffn_up", kernel: StageChoice("sparse_rows" + instructionSet)),
    ]
    #expect(try logits([]) == logits(sparse))
  }

  /// The entropy of the language is a floor for any model of it, and chance is far above.
  @Test func itsLossLiesAboveTheEntropyOfTheLanguage() throws {
    let stories = StoryDataset.test.stories(12)
    let data = try TextDataset.load("builtin:storyteller/test:12")
    #expect(data.writesControlTokens)
    let engine = try storyteller()
    let tokens = try engine.tokenizer.encode(data.text, addSpecial: true, parseSpecial: true)
    let floor = StoryEntropy(stories).natsPerToken(tokens: tokens.count)
    let result = try Perplexity.measure(
      engine, text: data.text, method: .contiguous(context: 256), parseSpecial: true)
    #expect(result.meanNLL.value > floor)
    #expect(result.meanNLL.value < floor + 0.5)
    // Bits a byte compare vocabularies of 2,048 and 1,024: the ends of stories count as no bytes.
    #expect(result.scoredBytes.map { $0 > result.scoredTokens } == true)
    let bits = try #require(result.bitsPerByte)
    let bytes = try #require(result.scoredBytes)
    #expect(abs(bits * log(2) * Double(bytes) - result.nll.reduce(0, +)) < 1e-6)
    let tiny = try Engine(checkpoint: Checkpoint(path: ModelLocation.resolve("builtin:tiny")))
    let other = try Perplexity.measure(
      tiny, text: data.text, method: .contiguous(context: 256), parseSpecial: true)
    #expect(try #require(other.bitsPerByte) > bits)
    #expect(bits > (try #require(data.floorBitsPerByte)))
  }
}

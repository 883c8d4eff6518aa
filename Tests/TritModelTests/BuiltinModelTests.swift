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
  }
}

import TritLab
import Testing
import _TritTestSupport

@Suite struct BPETrainerTests {
  static let texts = StoryDataset.train.stories(150).map(\.text)

  static func train(_ size: Int, _ texts: [String], minimumCount: Int = 2) throws
    -> BytePairVocabulary
  {
    var trainer = try BytePairTrainer(vocabularySize: size, minimumCount: minimumCount)
    for text in texts { trainer.add(text) }
    return try trainer.train()
  }

  /// The definition, with every count taken anew at every step.
  @Test func mergesAreThoseOfTheDefinition() throws {
    let texts = Array(Self.texts.prefix(12)) + ["aaaaaaa aaaa aaaaa abababa", "Größe größer 東京"]
    let vocabulary = try Self.train(420, texts)
    let tokenizer = try Self.train(257, texts).tokenizer()
    var words: [[Int]] = try texts.flatMap { text in
      try tokenizer.preTokenize(text).map { word in
        word.utf8.map { byte in (vocabulary.pieces.firstIndex(of: [byte]) ?? -1) + 1 }
      }
    }
    for (rank, merge) in vocabulary.merges.enumerated() {
      var counts: [[Int]: Int] = [:]
      for word in words {
        for pair in zip(word, word.dropFirst()) { counts[[pair.0, pair.1], default: 0] += 1 }
      }
      let best = counts.max { a, b in
        a.value != b.value ? a.value < b.value : b.key.lexicographicallyPrecedes(a.key)
      }
      #expect(best?.key == [merge.left, merge.right], "rank \(rank)")
      let joined = vocabulary.pieces[merge.left - 1] + vocabulary.pieces[merge.right - 1]
      let id = (vocabulary.pieces.firstIndex(of: joined) ?? -2) + 1
      words = words.map { Self.merge($0, merge.left, merge.right, id) }
    }
    #expect(vocabulary.count == 420)
  }

  private static func merge(_ word: [Int], _ left: Int, _ right: Int, _ id: Int) -> [Int] {
    var result: [Int] = []
    var place = 0
    while place < word.count {
      let fits = place + 1 < word.count && word[place] == left && word[place + 1] == right
      result.append(fits ? id : word[place])
      place += fits ? 2 : 1
    }
    return result
  }

  @Test(arguments: [512, 1024, 2048])
  func fileReadsBackIdentically(size: Int) throws {
    let vocabulary = try Self.train(size, Self.texts)
    let folder = try TemporaryFolder("bpe")
    try vocabulary.write(to: folder.file("tokenizer.json"))
    let loaded = try TokenizerLoader.load(path: folder.path)
    let direct = try vocabulary.tokenizer()
    #expect(loaded.vocabularySize == vocabulary.count)
    #expect(loaded.bos == vocabulary.endOfText)
    #expect(loaded.endOfGeneration == [vocabulary.endOfText])
    let unseen = StoryDataset.test.stories(20).map(\.text) + ["Größe 東京 \u{0}\t<|endoftext|>", ""]
    for text in unseen {
      let ids = try loaded.encode(text, addSpecial: true, parseSpecial: false)
      #expect(ids == (try direct.encode(text, addSpecial: true, parseSpecial: false)))
      #expect(ids.first == 0 && !ids.dropFirst().contains(0))
      #expect(try loaded.decode(Array(ids.dropFirst()), skipSpecial: false) == text)
    }
    #expect(try loaded.encode("<|endoftext|>", addSpecial: false, parseSpecial: true) == [0])
  }

  @Test func moreVocabularyMeansFewerTokens() throws {
    let small = try Self.train(512, Self.texts).tokenizer()
    let large = try Self.train(2048, Self.texts).tokenizer()
    let text = StoryDataset.test.text(stories: 10)
    let few = try large.encode(text, addSpecial: false, parseSpecial: false).count
    let many = try small.encode(text, addSpecial: false, parseSpecial: false).count
    #expect(few < many)
    #expect(Double(text.utf8.count) / Double(few) > 3.5)
  }

  @Test func trainingStopsWhereNothingIsLeft() throws {
    let vocabulary = try Self.train(4096, ["ab ab ab"])
    #expect(vocabulary.merges.count == 2)
    #expect(vocabulary.pieces.suffix(2) == [Array("ab".utf8), Array(" ab".utf8)])
    #expect(try Self.train(4096, ["abc"], minimumCount: 1).merges.count == 2)
    #expect(try Self.train(4096, ["abc"]).merges.isEmpty)
  }

  @Test func badInputIsExplained() throws {
    for size in [-1, 0, 256, 65_537] {
      let error = #expect(throws: LabError.self) { try BytePairTrainer(vocabularySize: size) }
      #expect(error?.kind == .usage && error?.got == "\(size)")
    }
    for tokens in [[], [""], ["<a>", "<a>"]] {
      #expect(throws: LabError.self) {
        try BytePairTrainer(vocabularySize: 600, specialTokens: tokens)
      }
    }
    #expect(throws: LabError.self) { try BytePairTrainer(vocabularySize: 600, minimumCount: 0) }
    let empty = try BytePairTrainer(vocabularySize: 600)
    let error = #expect(throws: LabError.self) { try empty.train() }
    #expect(error?.kind == .badData)
  }
}

import TritLab
import Testing

@Suite struct StoriesTests {
  static let sample: [Story] = {
    var generator = StoryGenerator(seed: 7, recordsChoices: true)
    return (0..<3000).map { _ in generator.next() }
  }()

  @Test func lawsHoldForFiveThousandStories() {
    let violations = checkStories(StoryGenerator(seed: 1), count: 5000)
    #expect(violations.isEmpty, "\(violations.count): \(violations.prefix(5))")
  }

  @Test func storiesAreAFunctionOfTheSeed() {
    let text = StoryDataset.train.text(stories: 100)
    #expect(SHA256.hex(text) == "2755317a35a3cbc755ce47f8da44f24010efa107b43e4bdee5c0cb7c0cedea5f")
    var stream = StoryGenerator(seed: 7)
    stream.position = 1234
    #expect(stream.next().text == Self.sample[1234].text)
    #expect(StoryGenerator(seed: 8, position: 1234).seed == 8)
    var other = StoryGenerator(seed: 8, position: 1234)
    #expect(other.next().text != Self.sample[1234].text)
  }

  @Test func vocabularyHasTheRightSize() {
    var words: Set<String> = []
    for story in Self.sample {
      for word in story.text.lowercased().split(whereSeparator: { !$0.isLetter }) {
        words.insert(String(word))
      }
    }
    #expect((1000...2000).contains(words.count), "\(words.count)")
    #expect(Set(Self.sample.map(\.plot)).count == StoryGenerator.plotNames.count)
    #expect(StoryGenerator.plotNames.count >= 12)
  }

  /// The first choice of a story is its plot: χ² of its frequencies, whose 0.9999 quantile is near
  /// 44 for 16 degrees of freedom.
  @Test func aChoiceOccursAsOftenAsItsProbabilitySays() {
    let plots = StoryGenerator.plotNames.count
    var counts = [Double](repeating: 0, count: plots)
    for story in Self.sample {
      counts[story.choices[0].option] += 1
      #expect(story.choices[0].optionCount == plots)
      #expect(story.choices[0].probability == 1 / Double(plots))
    }
    let expected = Double(Self.sample.count) / Double(plots)
    let statistic = counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    #expect(statistic < 44)
  }

  /// E[−ln p − H] = 0 over the choices made: weights that were not those of the draws would show
  /// here.
  @Test func surprisalAgreesWithTheEntropyOfTheChoices() {
    let differences = Self.sample.map { -$0.logProbability - $0.pathEntropy }
    let n = Double(differences.count)
    let mean = differences.reduce(0, +) / n
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
    #expect(abs(mean) < 4 * (variance / n).squareRoot())
    let entropy = StoryEntropy(Self.sample.prefix(150))
    #expect(entropy.standardError < 0.004)
    let surprisal = -Self.sample.prefix(150).reduce(0) { $0 + $1.logProbability }
    #expect(abs(entropy.surprisal + entropy.untold - surprisal) < 1e-6)
    #expect((0.1...0.6).contains(entropy.natsPerByte))
    #expect(
      abs(entropy.natsPerToken(tokens: entropy.bytes) - entropy.natsPerByte) < 1e-12)
    let again = StoryEntropy(of: StoryGenerator(seed: 99), stories: 150)
    let error = 4 * (again.standardError + entropy.standardError)
    #expect(abs(again.natsPerByte - entropy.natsPerByte) < error)
  }

  @Test("the probability of a text is the sum over its derivations, listed one by one")
  func textsAreAsLikelyAsTheirDerivations() {
    let violations = checkStoryProbability()
    #expect(violations.isEmpty, "\(violations.count): \(violations.prefix(5))")
    #expect(!checkStoryProbability(factor: 1.000_000_1).isEmpty)
  }

  @Test("a story's text is likelier than its derivation, and other texts are none")
  func textsAreLikelierThanDerivations() {
    let stories = Self.sample.prefix(120)
    let probabilities = StoryProbability.logProbabilities(of: stories.map(\.text))
    var (told, gap) = (0.0, 0.0)
    for (story, probability) in zip(stories, probabilities) {
      #expect(probability >= story.logProbability - 1e-9, "\(story.plot)")
      told -= story.logProbability
      gap += probability - story.logProbability
    }
    // Replaying stories with one choice changed put the share of what is never told at 2.9 ± 0.4 %,
    // at least 1.6 %.
    #expect((0.016...0.045).contains(gap / told), "\(gap / told)")
    let text = stories[0].text
    #expect(StoryProbability.logProbability(of: text + " And more.") == -.infinity)
    #expect(StoryProbability.logProbability(of: String(text.dropFirst())) == -.infinity)
    #expect(StoryProbability.logProbability(of: "") == -.infinity)
  }

  @Test func splitsShareNoStory() {
    var seen: Set<String> = []
    for split in StoryDataset.Split.allCases {
      for story in StoryDataset(split).stories(1500) { seen.insert(story.text) }
    }
    #expect(seen.count == 1500 * 3)
    #expect(StoryDataset.train.positions.upperBound == StoryDataset.valid.positions.lowerBound)
    #expect(StoryDataset(named: "builtin:storyteller/test")?.split == .test)
    #expect(StoryDataset(named: "builtin:storyteller/tset") == nil)
    #expect(StoryDataset.test.stories(3)[2].text == StoryDataset.test.stories(1, from: 2)[0].text)
  }

  // MARK: Tasks, read again from the text alone

  @Test func tasksComeInAllKindsWithKnownChance() {
    let tasks = StoryDataset.test.tasks(2000)
    #expect(tasks == StoryDataset.test.tasks(2000))
    for kind in StoryTask.Kind.allCases {
      let some = tasks.filter { $0.kind == kind }
      #expect(some.count >= 40, "\(kind): \(some.count)")
      // The right answer is at every place of the list about equally often.
      let first = Double(some.count { $0.answer == 0 })
      let chance = some.reduce(0) { $0 + $1.chance }
      #expect(abs(first - chance) < 4 * chance.squareRoot() + 1, "\(kind) \(first) \(chance)")
    }
  }

  @Test func coinsAreCountedRight() {
    let numbers = [
      "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
      "ten", "eleven", "twelve", "thirteen", "fourteen",
    ]
    var checked = 0
    for story in Self.sample where story.plot == "market" {
      for (index, task) in story.tasks.filter({ $0.kind == .count }).enumerated() {
        let words = task.context.lowercased().split { !$0.isLetter }.map(String.init)
        let amounts = zip(words, words.dropFirst())
          .compactMap { $1.hasPrefix("coin") ? numbers.firstIndex(of: $0) : nil }
        let left = amounts[0] - amounts[1] - (index > 0 ? amounts[2] : 0)
        #expect(task.choices[task.answer] == " " + numbers[left], "\(task.context)")
        checked += 1
      }
    }
    #expect(checked > 200)
  }

  @Test func whatWasLostIsWhereItWasLastSeen() {
    var checked = 0
    for story in Self.sample where story.plot == "lost thing" {
      for task in story.tasks where task.kind == .place {
        // The mark may begin a sentence: "On the shelf Ben saw it."
        let context = task.context.lowercased()
        let last = task.choices.map { context.lastOffset(of: $0) }
        #expect(last.max() == last[task.answer], "\(task)")
        checked += 1
      }
    }
    #expect(checked > 60)
  }

  @Test func theThreadBelongsToTheCulprit() {
    var checked = 0
    for story in Self.sample where story.plot == "mystery" {
      for task in story.tasks where task.kind == .who {
        let words = task.context.split { !$0.isLetter }.map(String.init)
        // "a red thread", not "this thread tells me everything".
        guard
          let thread = words.indices.last(where: {
            $0 > 1 && words[$0] == "thread" && words[$0 - 2] == "a"
          })
        else {
          Issue.record("no clue in \(task.context)")
          continue
        }
        let color = words[thread - 1]
        let names = Set(task.choices.map { String($0.dropFirst()) })
        // The guests' clothes are the first words of the second paragraph that name them.
        let guests = task.context.split(separator: "\n")[1].split { !$0.isLetter }.map(String.init)
        let worn = guests.firstIndex(of: color) ?? 0
        let owner = guests[..<worn].last { names.contains($0) }
        #expect(owner == String(task.choices[task.answer].dropFirst()), "\(task.context)")
        checked += 1
      }
    }
    #expect(checked > 100)
  }

  @Test func orderIsTheOrderOfTheText() {
    var checked = 0
    for story in Self.sample where story.plot == "three things" {
      for task in story.tasks where task.kind == .order && !task.context.hasSuffix("Then we") {
        let offsets = task.choices.map { task.context.firstOffset(of: $0) }
        let told = offsets.filter { $0 >= 0 }
        let right = task.context.hasSuffix("at the end we") ? told.max() : told.min()
        #expect(offsets[task.answer] == right, "\(task)")
        checked += 1
      }
    }
    #expect(checked > 150)
  }

  @Test func pronounsAgreeWithGirlsAndBoys() {
    var checked = 0
    for story in Self.sample where story.plot != "mystery" && story.text.contains(" girl") {
      // A story that says what everybody is, without boys and grown-up men, has only female
      // pronouns in its answers.
      let men = ["Dad", "Grandpa", "Uncle Bob"]
      if (men + [" boy"]).contains(where: { story.text.contains($0) }) { continue }
      for task in story.tasks where task.kind == .pronoun {
        #expect([" she", " her", " herself"].contains(task.choices[task.answer]), "\(task)")
        checked += 1
      }
    }
    #expect(checked > 100)
  }
}

extension String {
  /// Byte offset of the last occurrence of `part`, or −1.
  fileprivate func lastOffset(of part: String) -> Int { offsets(of: part).last ?? -1 }
  /// Byte offset of the first occurrence of `part`, or −1.
  fileprivate func firstOffset(of part: String) -> Int { offsets(of: part).first ?? -1 }

  private func offsets(of part: String) -> [Int] {
    let text = Array(utf8)
    let wanted = Array(part.utf8)
    guard wanted.count <= text.count else { return [] }
    return (0...(text.count - wanted.count)).filter {
      text[$0] == wanted[0] && text[$0..<($0 + wanted.count)].elementsEqual(wanted)
    }
  }
}

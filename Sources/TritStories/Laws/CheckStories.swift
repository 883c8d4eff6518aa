import Foundation
public import TritCore

/// Checks the laws of the story grammar on the next `count` stories of `generator`.
///
/// Form: printable ASCII, 2–5 paragraphs, 80–250 words, no unresolved placeholder, no doubled
/// space or word, quotation marks in pairs, sentences and paragraphs begin with a capital, a and
/// an by the sound that follows. Probability: the story's log-probability is the sum over its
/// recorded choices. Tasks: distinct choices, and the right one continues the story.
public func checkStories(_ generator: StoryGenerator, count: Int) -> [LawViolation] {
  var generator = StoryGenerator(
    seed: generator.seed, position: generator.position, recordsChoices: true)
  var violations: [LawViolation] = []
  for _ in 0..<count {
    let position = generator.position
    let story = generator.next()
    for (law, evidence) in StoryLaws.broken(by: story) {
      violations.append(
        LawViolation(law, "story \(position) of seed \(generator.seed), \(story.plot): \(evidence)")
      )
    }
  }
  return violations
}

private enum StoryLaws {
  static func broken(by story: Story) -> [(String, String)] {
    let paragraphs = story.text.split(separator: "\n", omittingEmptySubsequences: false)
    let words = story.text.split { $0 == " " || $0 == "\n" }.map(String.init)
    var broken: [(String, String)] = []
    if !(2...5).contains(paragraphs.count) {
      broken.append(("A story has 2 to 5 paragraphs", "\(paragraphs.count)"))
    }
    if !(80...250).contains(words.count) {
      broken.append(("A story has 80 to 250 words", "\(words.count)"))
    }
    for paragraph in paragraphs { broken += form(Array(paragraph.utf8)) }
    broken += wordLaws(words) + probability(story)
    for task in story.tasks {
      let right = task.context + task.choices[task.answer]
      if Set(task.choices).count != task.choices.count || task.choices.count < 2
        || !story.text.hasPrefix(right)
      {
        broken.append(("A task's answer continues the story", "\(task)"))
      }
    }
    return broken
  }

  private static func form(_ text: [UInt8]) -> [(String, String)] {
    var broken: [(String, String)] = []
    func complain(_ law: String, _ place: Int) {
      let around = text[max(0, place - 20)..<min(text.count, place + 20)]
      broken.append((law, String(decoding: around, as: UTF8.self)))
    }
    let allowed = Set(" \"',.!?:-".utf8)
    let ends = Set(".!?".utf8)
    var quotes = 0
    var mustBeCapital = true
    for (place, byte) in text.enumerated() {
      let isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A
      if !isLetter, !allowed.contains(byte) { complain("No placeholder is left", place) }
      if isLetter {
        if mustBeCapital, byte >= 0x61 { complain("A sentence begins with a capital", place) }
        mustBeCapital = false
      }
      if byte == 0x22 { quotes += 1 }
      let next = place + 1 < text.count ? text[place + 1] : 0x20
      if byte == 0x20, ends.contains(next) || next == 0x20 || next == 0x2C {
        complain("No space before a space or a mark", place)
      }
      let before = place > 0 ? text[place - 1] : 0x20
      // A quotation that ends in ! or ? may be followed by `he said`.
      if byte == 0x20, ends.contains(before) { mustBeCapital = true }
      if byte == 0x20, before == 0x22, place > 1, text[place - 2] == 0x2E { mustBeCapital = true }
    }
    if quotes % 2 != 0 { complain("Quotation marks come in pairs", 0) }
    if let last = text.last, !ends.contains(last), last != 0x22 {
      complain("A paragraph ends with a mark", text.count)
    }
    if text.isEmpty { complain("No paragraph is empty", 0) }
    return broken
  }

  private static func wordLaws(_ words: [String]) -> [(String, String)] {
    var broken: [(String, String)] = []
    let silent = ["hour", "honest"]
    let consonantal = ["use", "unic", "unif", "eu", "one", "once"]
    for (word, next) in zip(words, words.dropFirst()) {
      let follower = next.lowercased().filter(\.isLetter)
      let article = word.lowercased().filter(\.isLetter)
      if word == next, word.allSatisfy(\.isLetter) {
        broken.append(("No word is doubled", "\(word) \(next)"))
      }
      guard article == "a" || article == "an" else { continue }
      let soundsLikeVowel =
        silent.contains { follower.hasPrefix($0) }
        || (["a", "e", "i", "o", "u"].contains(String(follower.prefix(1)))
          && !consonantal.contains { follower.hasPrefix($0) })
      if soundsLikeVowel != (article == "an") {
        broken.append(("a before a consonant, an before a vowel", "\(word) \(next)"))
      }
    }
    return broken
  }

  private static func probability(_ story: Story) -> [(String, String)] {
    let sum = story.choices.reduce(0) { $0 + log($1.probability) }
    guard !story.choices.isEmpty, abs(sum - story.logProbability) < 1e-9,
      story.choices.allSatisfy({ $0.probability > 0 && $0.probability <= 1 })
    else {
      return [
        ("The log-probability is the sum over all choices", "\(story.logProbability), \(sum)")
      ]
    }
    return []
  }
}

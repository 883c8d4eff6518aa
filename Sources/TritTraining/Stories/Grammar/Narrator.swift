import Foundation
import TritCore

/// Tells one story: the state of its world, the only source of its randomness, and the writer.
struct Narrator {
  private var random: SeededRandom
  /// Σ ln p of every choice so far, in nats.
  private(set) var logProbability = 0.0
  /// Σ of the entropies of the choices met on the way, in nats.
  private(set) var pathEntropy = 0.0
  /// Every choice, where they are recorded.
  private(set) var choices: [StoryChoice] = []
  private let recordsChoices: Bool
  /// What templates name, by slot.
  private var entities = [Entity](repeating: Entity(), count: Slot.allCases.count)
  /// Slots that are alternatives to each other in questions.
  private var alternatives: [StoryTask.Kind: [Slot]] = [:]
  /// Names in the story, so that no two characters share one.
  var namesInUse: [Int] = []
  /// The last word drawn from each class, or −1.
  private var lastWords = [Int](repeating: -1, count: Lexicon.classes.count)
  private(set) var text: [UInt8] = []
  private(set) var marks: [StoryMark] = []
  private var needsArticle = false
  private var needsCapital = true
  private var isQuoted = false
  private var endsSentence = false

  init(seed: UInt64, recordsChoices: Bool) {
    random = SeededRandom(seed: seed)
    self.recordsChoices = recordsChoices
    text.reserveCapacity(2048)
  }

  subscript(slot: Slot) -> Entity {
    get { entities[Int(slot.rawValue)] }
    set { entities[Int(slot.rawValue)] = newValue }
  }

  // MARK: Choices

  /// Chooses option `i` with probability `w_i / Σ w` over the options that are not excluded, and
  /// adds the logarithm of that probability to the story's. Every random choice of a story is one
  /// of these.
  mutating func choose(_ table: WeightTable, excluding excluded: [Int] = []) -> Int {
    var total = table.total
    var logs = table.weightedLogs
    for index in excluded {
      let weight = table.weights[index]
      total -= weight
      logs -= weight * log(weight)
    }
    var rest = random.uniform() * total
    var chosen = 0
    for (index, weight) in table.weights.enumerated() {
      if !excluded.isEmpty, excluded.contains(index) { continue }
      chosen = index
      rest -= weight
      if rest < 0 { break }
    }
    let probability = table.weights[chosen] / total
    logProbability += log(probability)
    pathEntropy += max(0, log(total) - logs / total)
    if recordsChoices {
      choices.append(
        StoryChoice(
          option: chosen, optionCount: table.weights.count - excluded.count,
          probability: probability))
    }
    return chosen
  }

  /// One of the elements, equally likely.
  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[choose(.uniform(elements.count))]
  }

  /// A whole number of the range, equally likely.
  mutating func pick(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + choose(.uniform(range.count))
  }

  /// True with probability `probability`, which is neither 0 nor 1.
  mutating func chance(_ probability: Double) -> Bool {
    choose(WeightTable([probability, 1 - probability])) == 0
  }

  /// Declares that the entities in `slots` are the possible answers to questions of `kind`.
  mutating func offer(_ kind: StoryTask.Kind, _ slots: [Slot]) { alternatives[kind] = slots }

  // MARK: Telling

  /// Tells one of the beat's templates, after a space where the paragraph has begun.
  mutating func tell(_ beat: Beat) {
    if let last = text.last, last != 0x0A { put(0x20) }
    needsCapital = true
    endsSentence = false
    render(beat.templates[choose(beat.table)])
  }

  /// Tells the beat with probability `probability`.
  mutating func maybe(_ probability: Double, _ beat: Beat) {
    if chance(probability) { tell(beat) }
  }

  /// Ends the paragraph.
  mutating func paragraph() {
    text.append(0x0A)
    needsCapital = true
    endsSentence = false
  }

  private mutating func render(_ nodes: [TemplateNode]) {
    for node in nodes {
      switch node {
      case .text(let bytes): for byte in bytes { put(byte) }
      case .slot(let slot, let field, let kind):
        if let kind { mark(slot, field, kind) }
        write(field.render(self[slot]))
      case .counted(let number, let noun):
        write(self[number].word)
        put(0x20)
        write(self[number].value == 1 ? self[noun].word : self[noun].plural)
      case .choice(let table, let branches): render(branches[choose(table)])
      case .word(let wordClass, let slot):
        // Never the same word twice in a row: "busy and busy".
        let previous = lastWords[wordClass.number]
        let index = choose(wordClass.table, excluding: previous < 0 ? [] : [previous])
        lastWords[wordClass.number] = index
        let word = wordClass.words[index]
        if let slot { self[slot] = .word(word) }
        write(word)
      case .article: needsArticle = true
      case .capital: needsCapital = true
      case .lower: needsCapital = false
      }
    }
  }

  private mutating func write(_ string: String) { for byte in string.utf8 { put(byte) } }

  /// Appends one byte of ASCII text by the writer's rules: sentences and quotations begin with a
  /// capital, an article waits for the letter that decides between a and an.
  private mutating func put(_ byte: UInt8) {
    let isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A
    if isLetter {
      if needsArticle {
        needsArticle = false
        let isVowel = [0x61, 0x65, 0x69, 0x6F, 0x75].contains(byte | 0x20)
        text.append(needsCapital ? 0x41 : 0x61)
        needsCapital = false
        if isVowel { text.append(0x6E) }
        text.append(0x20)
      }
      text.append(needsCapital ? byte & 0xDF : byte)
      needsCapital = false
      endsSentence = false
      return
    }
    if needsArticle, byte == 0x20 { return }
    text.append(byte)
    switch byte {
    case 0x22:
      isQuoted.toggle()
      if isQuoted {
        needsCapital = true
        endsSentence = false
      } else if text.count >= 2, text[text.count - 2] != 0x2E {
        // After `!"` and `?"` the sentence may go on: `"Stop!" he said.`
        endsSentence = false
      }
    case 0x2E, 0x21, 0x3F: endsSentence = true
    case 0x20:
      if endsSentence { needsCapital = true }
      endsSentence = false
    default: endsSentence = false
    }
  }

  /// Notes that the word to come answers a question, with the other possible answers.
  private mutating func mark(_ slot: Slot, _ field: Field, _ kind: StoryTask.Kind) {
    let answer = self[slot]
    var others: [String]
    switch kind {
    case .pronoun:
      var opposite = answer
      opposite.isMale.toggle()
      others = [field.render(opposite)]
    case .count:
      others = (1...20).filter { $0 != answer.value }
        .sorted { (abs($0 - answer.value), $0) < (abs($1 - answer.value), $1) }
        .prefix(3).map { field.render(.number($0)) }
    default:
      others = (alternatives[kind] ?? []).filter { $0 != slot }.map { field.render(self[$0]) }
    }
    let said = field.render(answer)
    others.removeAll { $0 == said }
    if needsCapital || needsArticle || others.isEmpty { return }
    marks.append(StoryMark(kind: kind, offset: text.count, answer: said, others: others))
  }
}

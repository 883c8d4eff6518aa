import Foundation
import TritCore

/// Tells one story: the state of its world, the only source of its randomness, and the writer.
/// Plots speak to it alone, so that the same plots also sum the derivations of a given text
/// (`DerivationSum`).
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
  private var writer = StoryWriter()
  /// The option of the last `draw` into each slot, or −1.
  private var drawn = [Int](repeating: -1, count: Slot.allCases.count)
  /// Where nothing is told but the derivations of a given text are summed.
  let derivations: DerivationSum?
  /// Options to take instead of random ones, where all derivations are listed.
  private var forced: [Int]?

  init(seed: UInt64, recordsChoices: Bool) {
    random = SeededRandom(seed: seed)
    self.recordsChoices = recordsChoices
    derivations = nil
    text.reserveCapacity(2048)
  }

  /// One that hands everything to `derivations`.
  init(summing derivations: DerivationSum) {
    random = SeededRandom(seed: 0)
    recordsChoices = false
    self.derivations = derivations
  }

  /// One that takes the options in `forced`, by their place among those that are not excluded, and
  /// the first one of every choice after them.
  init(forcing forced: [Int]) {
    random = SeededRandom(seed: 0)
    recordsChoices = true
    derivations = nil
    self.forced = forced
  }

  subscript(slot: Slot) -> Entity {
    get { derivations?[slot] ?? entities[Int(slot.rawValue)] }
    set {
      if let derivations {
        derivations[slot] = newValue
      } else {
        entities[Int(slot.rawValue)] = newValue
      }
    }
  }

  // MARK: Choices

  /// Chooses option `i` with probability `w_i / Σ w` over the options that are not excluded, and
  /// adds the logarithm of that probability to the story's. Every random choice of a story is one
  /// of these.
  mutating func choose(_ table: WeightTable, excluding excluded: [Int] = []) -> Int {
    if let derivations { return derivations.choose(table, excluding: excluded) }
    var total = table.total
    var logs = table.weightedLogs
    for index in excluded {
      let weight = table.weights[index]
      total -= weight
      logs -= weight * log(weight)
    }
    var rest = random.uniform() * total
    var chosen = 0
    if let forced {
      let options = table.weights.indices.filter { !excluded.contains($0) }
      chosen = options[choices.count < forced.count ? forced[choices.count] : 0]
    } else {
      for (index, weight) in table.weights.enumerated() {
        if !excluded.isEmpty, excluded.contains(index) { continue }
        chosen = index
        rest -= weight
        if rest < 0 { break }
      }
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

  /// Puts one of `options` into `slot`, but none that an earlier draw put into one of the `other`
  /// slots. What a draw chooses is known to the templates alone: where derivations of a text are
  /// summed, it stays open until one tells it.
  mutating func draw(
    _ options: [Entity], _ table: WeightTable, into slot: Slot, not other: [Slot] = []
  ) {
    if let derivations { return derivations.draw(options, table, into: slot, not: other) }
    let index = choose(table, excluding: other.map { drawn[Int($0.rawValue)] })
    drawn[Int(slot.rawValue)] = index
    self[slot] = options[index]
  }

  /// Declares that the entities in `slots` are the possible answers to questions of `kind`.
  mutating func offer(_ kind: StoryTask.Kind, _ slots: [Slot]) { alternatives[kind] = slots }

  // MARK: Telling

  /// Tells one of the beat's templates, after a space where the paragraph has begun.
  mutating func tell(_ beat: Beat) {
    if let derivations { return derivations.tell(beat) }
    if let last = text.last, last != 0x0A { writer.put(0x20, to: &text) }
    writer.beginSentence()
    render(beat.templates[choose(beat.table)])
  }

  /// Tells the beat with probability `probability`.
  mutating func maybe(_ probability: Double, _ beat: Beat) {
    if let derivations { return derivations.tell(beat, probability: probability) }
    if chance(probability) { tell(beat) }
  }

  /// Ends the paragraph.
  mutating func paragraph() {
    if let derivations { return derivations.paragraph() }
    text.append(0x0A)
    writer.beginSentence()
  }

  private mutating func render(_ nodes: [TemplateNode]) {
    for node in nodes {
      switch node {
      case .text(let bytes): for byte in bytes { writer.put(byte, to: &text) }
      case .slot(let slot, let field, let kind):
        if let kind { mark(slot, field, kind) }
        write(field.render(self[slot]))
      case .counted(let number, let noun):
        write(self[number].word)
        writer.put(0x20, to: &text)
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
      case .article: writer.needsArticle = true
      case .capital: writer.needsCapital = true
      case .lower: writer.needsCapital = false
      }
    }
  }

  private mutating func write(_ string: String) { writer.put(string, to: &text) }

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
    if writer.needsCapital || writer.needsArticle || others.isEmpty { return }
    marks.append(StoryMark(kind: kind, offset: text.count, answer: said, others: others))
  }
}

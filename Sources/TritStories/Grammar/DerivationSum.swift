import Foundation

/// The probability of a text: the sum over all derivations that give it, exactly.
///
/// One text has many derivations. What is drawn for a story's state and never told (the color of a
/// ball that is only called the ball) multiplies them by the number of its options; synonyms that
/// two templates share add some more. So plots are not told here but followed, with three kinds of
/// choices:
///
/// - what a template chooses is told at once: a population of partial derivations (`Particle`) goes
///   through the templates, and whatever disagrees with the text dies. Those that differ in nothing
///   that matters later are merged, their weights added;
/// - what is drawn into a slot (`Narrator.draw`, `take`, `cast`) stays open until a template tells
///   it, and then has the few values that agree with the text. What is still open at the end is
///   summed over: all of its options for a draw by itself, and exactly, option by option, where
///   later draws leave out what it took;
/// - what the plot's own code chooses (`choose`, `pick`, `chance`) decides how it goes on, so all
///   of its options are gone through one after the other, each in a run of its own that ends as
///   soon as nothing agrees.
///
/// Everything is a finite sum of products of the probabilities with which the generator chooses;
/// float64 rounding is all that is lost.
final class DerivationSum {
  /// The text; the caller keeps it.
  let target: UnsafeBufferPointer<UInt8>
  /// Options of the plot's own choices in this run, and how many there were.
  private var path: [(option: Int, count: Int)] = []
  private var given: [Int] = []
  private var pathProbability = 1.0
  private(set) var particles: [Particle] = []
  var bindings = [Binding](repeating: .fixed(Entity()), count: Slot.allCases.count)
  var draws: [OpenDraw] = []
  /// Values that particles of this run have.
  var valueCount = 0
  /// What beats have told, by all that it depends on: runs that differ in what nothing has told yet
  /// tell the same.
  private var known: [Telling: [Particle]] = [:]

  /// All that the telling of a beat depends on.
  private struct Telling: Hashable {
    let beat: Int
    let bindings: [Binding]
    let draws: [OpenDraw.Identity]
    let particles: [Particle]
  }

  /// The probability that `tell` gives `text`: 0 where it cannot.
  static func probability(of text: String, _ tell: (inout Narrator) -> Void) -> Double {
    Array(text.utf8).withUnsafeBufferPointer { target in
      let sum = DerivationSum(target)
      var total = 0.0
      var next: [Int]? = []
      while let path = next {
        sum.begin(path)
        var narrator = Narrator(summing: sum)
        tell(&narrator)
        total += sum.finished()
        next = sum.nextPath()
      }
      return total
    }
  }

  private init(_ target: UnsafeBufferPointer<UInt8>) { self.target = target }

  private func begin(_ path: [Int]) {
    given = path
    self.path.removeAll(keepingCapacity: true)
    pathProbability = 1
    bindings = [Binding](repeating: .fixed(Entity()), count: Slot.allCases.count)
    draws.removeAll(keepingCapacity: true)
    valueCount = 0
    particles = [Particle(classes: Lexicon.classes.count)]
  }

  /// The weight of what has told the whole text.
  private func finished() -> Double {
    var sum = 0.0
    for particle in particles where particle.offset == target.count {
      sum += particle.weight * openProbability(particle)
    }
    return sum * pathProbability
  }

  /// The next combination of the plot's own choices; those that a run did not come to need none.
  private func nextPath() -> [Int]? {
    while let last = path.popLast() {
      if last.option + 1 < last.count { return path.map(\.option) + [last.option + 1] }
    }
    return nil
  }

  /// A choice of the plot's own code.
  func choose(_ table: WeightTable, excluding excluded: [Int]) -> Int {
    let options = table.weights.indices.filter { !excluded.contains($0) }
    // Nothing agrees any more: however the plot goes on, it adds nothing.
    guard !particles.isEmpty else { return options[0] }
    let option = path.count < given.count ? given[path.count] : 0
    path.append((option, options.count))
    let total = options.reduce(0) { $0 + table.weights[$1] }
    pathProbability *= table.weights[options[option]] / total
    return options[option]
  }

  // MARK: Telling

  /// All ways of telling a beat.
  func tell(_ beat: Beat) { particles = merged(told(beat, particles)) }

  /// Tells the beat with `probability`: those that do and those that do not go on together.
  func tell(_ beat: Beat, probability: Double) {
    let with = told(beat, weighted(particles, probability))
    particles = merged(with + weighted(particles, 1 - probability))
  }

  /// Ends the paragraph.
  func paragraph() {
    particles = particles.compactMap { particle in
      guard particle.offset < target.count, target[particle.offset] == 0x0A else { return nil }
      var particle = particle
      particle.offset += 1
      particle.writer.beginSentence()
      return particle
    }
  }

  private func told(_ beat: Beat, _ particles: [Particle]) -> [Particle] {
    if particles.isEmpty { return [] }
    let telling = Telling(
      beat: beat.number, bindings: beat.slots.map { bindings[Int($0.rawValue)] },
      draws: draws.map(\.identity), particles: particles)
    if let result = known[telling] { return result }
    let begun = particles.compactMap { particle -> Particle? in
      var particle = particle
      if particle.offset > 0, target[particle.offset - 1] != 0x0A {
        guard write(" ", &particle) else { return nil }
      }
      particle.writer.beginSentence()
      return particle
    }
    let result = chosen(beat.table, beat.templates, begun)
    known[telling] = result
    return result
  }

  private func chosen(_ table: WeightTable, _ branches: [[TemplateNode]], _ particles: [Particle])
    -> [Particle]
  {
    guard !particles.isEmpty else { return [] }
    var result: [Particle] = []
    for (index, branch) in branches.enumerated() {
      let begun = weighted(particles, table.weights[index] / table.total)
      result += branch.isEmpty ? begun : render(branch, begun)
    }
    return result.count > particles.count ? merged(result) : result
  }

  private func render(_ nodes: [TemplateNode], _ particles: [Particle]) -> [Particle] {
    var particles = particles
    for node in nodes {
      if particles.isEmpty { return [] }
      switch node {
      case .choice(let table, let branches): particles = chosen(table, branches, particles)
      case .word(let wordClass, let slot):
        particles = particles.flatMap { words(wordClass, slot, $0) }
      case .slot(let slot, let field, _): particles = particles.flatMap { tell(slot, field, $0) }
      case .counted(let number, let noun):
        particles = particles.flatMap { particle -> [Particle] in
          guard case .fixed(let count) = bindings[Int(number.rawValue)] else {
            preconditionFailure("a counted number is the plot's own choice")
          }
          var particle = particle
          guard write(count.word, &particle), write(" ", &particle) else { return [] }
          return tell(noun, count.value == 1 ? .plain : .many, particle)
        }
      case .text, .article, .capital, .lower:
        particles = particles.compactMap { particle in
          var particle = particle
          switch node {
          case .text(let bytes):
            var match = StoryMatch(target: target, offset: particle.offset)
            for byte in bytes {
              particle.writer.put(byte, to: &match)
              if !match.agrees { return nil }
            }
            particle.offset = match.offset
          case .article: particle.writer.needsArticle = true
          case .capital: particle.writer.needsCapital = true
          default: particle.writer.needsCapital = false
          }
          return particle
        }
      }
    }
    return particles
  }

  /// The words of a class that agree, the last one left out.
  private func words(_ wordClass: WordClass, _ slot: Slot?, _ particle: Particle) -> [Particle] {
    let previous = Int(particle.lastWords[wordClass.number])
    let weights = wordClass.table.weights
    let total = wordClass.table.total - (previous < 0 ? 0 : weights[previous])
    var result: [Particle] = []
    for (index, word) in wordClass.words.enumerated() where index != previous {
      guard let place = matched(word, particle) else { continue }
      var told = particle
      (told.offset, told.writer) = place
      told.weight *= weights[index] / total
      told.lastWords[wordClass.number] = Int16(index)
      if let slot { told.words[Int(slot.rawValue)] = ToldWord(wordClass.number, index) }
      result.append(told)
    }
    return result
  }

  /// Where the text is after `string`, if it agrees.
  func matched(_ string: String, _ particle: Particle) -> (offset: Int, writer: StoryWriter)? {
    if let first = string.utf8.first {
      guard particle.writer.canPut(first, at: particle.offset, of: target) else { return nil }
    }
    var writer = particle.writer
    var match = StoryMatch(target: target, offset: particle.offset)
    for byte in string.utf8 {
      writer.put(byte, to: &match)
      if !match.agrees { return nil }
    }
    return (match.offset, writer)
  }

  /// Writes `string`; false where the text disagrees.
  func write(_ string: String, _ particle: inout Particle) -> Bool {
    guard let place = matched(string, particle) else { return false }
    (particle.offset, particle.writer) = place
    return true
  }

  private func weighted(_ particles: [Particle], _ factor: Double) -> [Particle] {
    particles.map { particle in
      var particle = particle
      particle.weight *= factor
      return particle
    }
  }

  /// Adds the weights of particles that are the same in all that follows.
  private func merged(_ particles: [Particle]) -> [Particle] {
    guard particles.count > 1 else { return particles }
    var places: [Particle.State: Int] = [:]
    var result: [Particle] = []
    for particle in particles {
      if let place = places[particle.state] {
        result[place].weight += particle.weight
      } else {
        places[particle.state] = result.count
        result.append(particle)
      }
    }
    return result
  }

  // MARK: State

  /// Splits every particle by the options of something that is known from now on.
  func split(_ probabilities: [Double]) {
    particles = particles.flatMap { particle in
      probabilities.indices.map { option in
        var particle = particle
        particle.values.append(Int16(option))
        particle.weight *= probabilities[option]
        return particle
      }
    }
    valueCount += 1
  }

  /// Gives every particle `count` values that are open.
  func open(_ count: Int) {
    for index in particles.indices {
      particles[index].values += [Int16](repeating: -1, count: count)
    }
    valueCount += count
  }

  /// Forgets, or copies from `source`, a word that a template put into `slot`.
  func setWord(_ slot: Slot, from source: Slot?) {
    for index in particles.indices {
      particles[index].words[Int(slot.rawValue)] =
        source.map { particles[index].words[Int($0.rawValue)] } ?? ToldWord.none
    }
  }
}

/// A word of a class that a template kept in a slot.
struct ToldWord: Hashable {
  private let code: Int32
  static let none = ToldWord(code: -1)

  private init(code: Int32) { self.code = code }
  init(_ wordClass: Int, _ index: Int) { code = Int32(wordClass << 16 | index) }

  /// Class and index; nil where there is none.
  var place: (wordClass: Int, index: Int)? {
    code < 0 ? nil : (Int(code >> 16), Int(code & 0xFFFF))
  }
}

/// A set of derivations that have told the same and go on alike.
struct Particle: Hashable {
  /// All but the weight.
  struct State: Hashable {
    var offset = 0
    var writer = StoryWriter()
    /// Options of the story's draws, −1 where nothing has told them.
    var values: [Int16] = []
    /// The last word from each class, or −1.
    var lastWords: [Int16]
    /// Words that templates kept, by slot.
    var words: [ToldWord]
  }

  var state: State
  /// The probability of these derivations' choices so far, without those of open draws and of the
  /// plot's own code.
  var weight = 1.0

  init(classes: Int) {
    state = State(
      lastWords: [Int16](repeating: -1, count: classes),
      words: [ToldWord](repeating: .none, count: Slot.allCases.count))
  }

  var offset: Int {
    get { state.offset }
    set { state.offset = newValue }
  }
  var writer: StoryWriter {
    get { state.writer }
    set { state.writer = newValue }
  }
  var values: [Int16] {
    get { state.values }
    _modify { yield &state.values }
  }
  var lastWords: [Int16] {
    get { state.lastWords }
    _modify { yield &state.lastWords }
  }
  var words: [ToldWord] {
    get { state.words }
    _modify { yield &state.words }
  }
}

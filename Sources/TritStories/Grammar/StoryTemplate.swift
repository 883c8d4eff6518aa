import Synchronization

/// One part of a compiled template.
indirect enum TemplateNode: Sendable {
  /// Text as it stands.
  case text([UInt8])
  /// `{A.his}`, or `{A?who}` where the word answers a question about the story so far.
  case slot(Slot, Field, StoryTask.Kind?)
  /// `{N X}`: a number and a noun that agrees with it.
  case counted(Slot, Slot)
  /// `[a|b|c]`: one of several, equally likely.
  case choice(WeightTable, [[TemplateNode]])
  /// `<color>`: a word of a class; `<color=W>` also keeps it in a slot.
  case word(WordClass, Slot?)
  /// `{a}`: a or an, by the word that follows.
  case article
  /// `^`: the next letter is a capital.
  case capital
  /// `~`: the next letter is none, after a quotation mark that goes on with a sentence.
  case lower
}

/// Compiles the template language of the story grammar:
///
/// - `{A}`, `{A.his}`: an entity of the story's state in one of its forms (`Field`);
/// - `{A?who}`: the same, and a question of that kind whose answer it is;
/// - `{N X}`: a number and its noun, in agreement;
/// - `[a|b|c]`: one of several, may be nested or empty;
/// - `<class>`, `<class=W>`: a random word of a lexicon class, kept in `W`;
/// - `{a}`: the indefinite article; `^`: a capital where the writer's own rules give none; `~`:
/// none where they give one.
///
/// What cannot be understood stays in the text as it is, so that the law checker of stories finds
/// it.
struct TemplateParser {
  private let source: [Character]
  private let allowsPhrases: Bool
  private var position = 0

  static func parse(_ source: String, allowsPhrases: Bool = true) -> [TemplateNode] {
    var parser = TemplateParser(source: Array(source), allowsPhrases: allowsPhrases)
    return parser.sequence(nested: false)
  }

  private init(source: [Character], allowsPhrases: Bool) {
    self.source = source
    self.allowsPhrases = allowsPhrases
  }

  private mutating func sequence(nested: Bool) -> [TemplateNode] {
    var nodes: [TemplateNode] = []
    var literal = ""
    func flush() {
      nodes += Synonyms.nodes(literal)
      literal = ""
    }
    while position < source.count {
      let character = source[position]
      if nested, character == "|" || character == "]" { break }
      position += 1
      switch character {
      case "[":
        flush()
        nodes.append(alternatives())
      case "{", "<":
        let close: Character = character == "{" ? "}" : ">"
        let start = position
        while position < source.count, source[position] != close { position += 1 }
        let name = String(source[start..<position])
        position += 1
        if let node = character == "{" ? Self.slot(name) : word(name) {
          flush()
          nodes.append(node)
        } else {
          literal += String(character) + name + String(close)
        }
      case "^":
        flush()
        nodes.append(.capital)
      case "~":
        flush()
        nodes.append(.lower)
      default: literal.append(character)
      }
    }
    flush()
    return nodes
  }

  private mutating func alternatives() -> TemplateNode {
    var branches: [[TemplateNode]] = []
    repeat {
      branches.append(sequence(nested: true))
      position += 1
    } while position <= source.count && source[position - 1] == "|"
    return .choice(.uniform(branches.count), branches)
  }

  private static func slot(_ name: String) -> TemplateNode? {
    if name == "a" { return .article }
    let words = name.split(separator: " ")
    if words.count == 2, let number = Slot(named: words[0]), let noun = Slot(named: words[1]) {
      return .counted(number, noun)
    }
    let asked = name.split(separator: "?", omittingEmptySubsequences: false)
    let parts = asked[0].split(separator: ".", omittingEmptySubsequences: false)
    guard asked.count <= 2, parts.count <= 2, let slot = Slot(named: parts[0]),
      let field = Field(rawValue: parts.count == 2 ? String(parts[1]) : "")
    else { return nil }
    guard asked.count == 2 else { return .slot(slot, field, nil) }
    guard let kind = StoryTask.Kind(rawValue: String(asked[1])) else { return nil }
    return .slot(slot, field, kind)
  }

  private func word(_ name: String) -> TemplateNode? {
    if allowsPhrases, let phrase = Phrases.named(name) { return phrase }
    let parts = name.split(separator: "=")
    guard parts.count <= 2, let first = parts.first, let wordClass = WordClass.named(String(first))
    else { return nil }
    guard parts.count == 2 else { return .word(wordClass, nil) }
    return Slot(named: parts[1]).map { .word(wordClass, $0) }
  }
}

/// Several ways of telling one step of a story, equally likely.
struct Beat: Sendable {
  let templates: [[TemplateNode]]
  let table: WeightTable
  /// Tells this beat from others.
  let number: Int
  /// The slots that its templates name.
  let slots: [Slot]

  init(_ sources: [String]) {
    templates = sources.map { TemplateParser.parse($0) }
    table = .uniform(sources.count)
    number = Self.count.add(1, ordering: .relaxed).newValue
    var named: Set<Slot> = []
    for template in templates { Self.collect(template, into: &named) }
    slots = Slot.allCases.filter(named.contains)
  }

  private static let count = Atomic<Int>(0)

  private static func collect(_ nodes: [TemplateNode], into slots: inout Set<Slot>) {
    for node in nodes {
      switch node {
      case .slot(let slot, _, _): slots.insert(slot)
      case .counted(let number, let noun): slots.formUnion([number, noun])
      case .choice(_, let branches): for branch in branches { collect(branch, into: &slots) }
      case .text, .word, .article, .capital, .lower: break
      }
    }
  }
}

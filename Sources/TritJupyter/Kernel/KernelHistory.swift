import TritFormats

/// What was run in this session, for consoles that ask for it. Old entries make room for new ones.
struct KernelHistory: Sendable {
  /// One cell that was run.
  struct Entry: Sendable {
    let number: Int
    let input: String
    /// The value of its last expression as text.
    var output: String?
  }

  private(set) var entries: [Entry] = []
  private var bytes = 0

  private static let mostEntries = 10_000
  private static let mostBytes = 16 << 20
  private static let mostOutput = 10_000

  /// Adds a cell.
  mutating func add(_ number: Int, _ input: String) {
    entries.append(Entry(number: number, input: input))
    bytes += input.utf8.count
    var surplus = 0
    while entries.count - surplus > Self.mostEntries
      || (bytes > Self.mostBytes && entries.count - surplus > 1)
    {
      bytes -= entries[surplus].input.utf8.count
      surplus += 1
    }
    entries.removeFirst(surplus)
  }

  /// Notes what the newest cell gave.
  mutating func note(output: String?) {
    guard let output, !entries.isEmpty else { return }
    entries[entries.count - 1].output = String(output.prefix(Self.mostOutput))
  }

  /// The answer to `history_request`: a list of `[session, line, input]`, or with `output` of
  /// `[session, line, [input, output]]`. Sessions before this one are not kept.
  func reply(to content: JSONValue) -> JSONValue {
    var found: [Entry]
    switch content["hist_access_type"]?.string {
    case "tail": found = entries
    case "range":
      let session = content["session"]?.integer ?? 0
      let start = content["start"]?.integer ?? 0
      let stop = content["stop"]?.integer ?? .max
      found =
        [0, 1].contains(session) ? entries.filter { $0.number >= start && $0.number < stop } : []
    case "search":
      let pattern = GlobPattern(content["pattern"]?.string ?? "*")
      found = entries.filter { pattern.matches($0.input) }
      if content["unique"]?.bool == true {
        var seen: Set<String> = []
        found = found.reversed().filter { seen.insert($0.input).inserted }.reversed()
      }
    default: found = []
    }
    if content["hist_access_type"]?.string != "range", let count = content["n"]?.integer {
      found = Array(found.suffix(max(count, 0)))
    }
    let wantsOutput = content["output"]?.bool ?? false
    let list = found.map { entry -> JSONValue in
      let input = JSONValue.string(entry.input)
      return [
        1, JSONValue(entry.number),
        wantsOutput ? .array([input, entry.output.map { .string($0) } ?? .null]) : input,
      ]
    }
    return ["status": "ok", "history": .array(list)]
  }
}

/// A pattern of file names as SQLite's GLOB has it, which Jupyter's own history uses: `*`, `?`,
/// `[a-z]`, `[^a-z]`.
struct GlobPattern: Sendable {
  private enum Piece: Sendable {
    case any
    case one
    case scalar(Unicode.Scalar)
    case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
  }

  private let pieces: [Piece]

  init(_ text: String) {
    var pieces: [Piece] = []
    var rest = text.unicodeScalars.prefix(4096)[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "*": pieces.append(.any)
      case "?": pieces.append(.one)
      case "[":
        guard let (set, after) = Self.set(rest) else {
          pieces.append(.scalar(scalar))
          continue
        }
        pieces.append(set)
        rest = after
      default: pieces.append(.scalar(scalar))
      }
    }
    self.pieces = pieces
  }

  private static func set(
    _ text: Substring.UnicodeScalarView
  ) -> (Piece, Substring.UnicodeScalarView)? {
    var rest = text
    let isNegated = rest.first == "^"
    if isNegated { rest = rest.dropFirst() }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    // A bracket that stands first is meant as itself.
    while let scalar = rest.popFirst(), scalar != "]" || ranges.isEmpty {
      if rest.first == "-", let high = rest.dropFirst().first, high != "]" {
        if scalar <= high { ranges.append(scalar...high) } else { ranges.append(scalar...scalar) }
        rest = rest.dropFirst(2)
      } else {
        ranges.append(scalar...scalar)
      }
      if rest.first == "]" { return (.set(ranges, isNegated: isNegated), rest.dropFirst()) }
    }
    return nil
  }

  /// Whether all of `text` is of this form. In time of the product of both lengths, however many
  /// stars there are.
  func matches(_ text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    var (piece, position) = (0, 0)
    // After a mismatch, the last star takes one scalar more.
    var star: (piece: Int, position: Int)?
    while position < scalars.count {
      if piece < pieces.count, case .any = pieces[piece] {
        star = (piece, position)
        piece += 1
      } else if piece < pieces.count, Self.takes(pieces[piece], scalars[position]) {
        piece += 1
        position += 1
      } else if let last = star {
        star = (last.piece, last.position + 1)
        (piece, position) = (last.piece + 1, last.position + 1)
      } else {
        return false
      }
    }
    return pieces[piece...].allSatisfy { if case .any = $0 { true } else { false } }
  }

  private static func takes(_ piece: Piece, _ scalar: Unicode.Scalar) -> Bool {
    switch piece {
    case .any, .one: true
    case .scalar(let own): own == scalar
    case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
    }
  }
}

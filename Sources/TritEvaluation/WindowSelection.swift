public import TritCore
public import TritTokenization

/// Which windows of a text are run: all, the first N as llama-perplexity's `--chunks N` has it, or
/// a part of them, half open and counted from 0, so that several machines share one figure.
///
/// Written `N`, `a:b`, `a:` (to the end), `:b`; behind a slash may stand what it is a part of:
/// `a:b/N` of the first N windows, `a:b/all` of all.
public struct WindowSelection: Sendable, Hashable, CustomStringConvertible {
  /// What a part is a part of.
  public enum Whole: Sendable, Hashable {
    /// Nobody said.
    case unknown
    /// All windows of the text.
    case all
    /// The first so many.
    case first(Int)
  }

  /// The first window, from 0.
  public var lower: Int
  /// One after the last window; nil is the end of the whole.
  public var upper: Int?
  /// What this is a part of.
  public var whole: Whole
  /// Whether it is a part: written with a colon.
  public let isPart: Bool

  /// Every window of the text.
  public static let all = WindowSelection(first: nil)

  /// The first `count` windows; nil is all.
  public init(first count: Int?) {
    lower = 0
    upper = count
    whole = count.map { .first($0) } ?? .all
    isPart = false
  }

  /// The windows from `lower` up to `upper`, of `whole`.
  public init(_ lower: Int, _ upper: Int?, of whole: Whole = .unknown) {
    self.lower = lower
    self.upper = upper
    self.whole = whole
    isPart = true
  }

  /// More windows than any text has.
  public static let limit = 1 << 40

  /// Reads what `description` writes; nil for anything else, and for parts without a window.
  public init?(_ text: String) {
    func number(_ text: Substring) -> Int? {
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text),
        value <= Self.limit
      else { return nil }
      return value
    }
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    let ends = halves[0].split(separator: ":", omittingEmptySubsequences: false)
    if ends.count == 1, halves.count == 1, let count = number(ends[0]), count > 0 {
      self.init(first: count)
      return
    }
    guard ends.count == 2, halves.count <= 2, ends != ["", ""] || halves.count == 2 else {
      return nil
    }
    var whole = Whole.unknown
    if halves.count == 2 {
      if halves[1] == "all" {
        whole = .all
      } else if let count = number(halves[1]), count > 0 {
        whole = .first(count)
      } else {
        return nil
      }
    }
    let lower = ends[0].isEmpty ? 0 : number(ends[0])
    let upper = ends[1].isEmpty ? nil : number(ends[1])
    guard let lower, ends[1].isEmpty || upper != nil, upper.map({ $0 > lower }) ?? true else {
      return nil
    }
    if case .first(let count) = whole, lower >= count { return nil }
    self.init(lower, upper, of: whole)
  }

  /// As it is written.
  public var description: String {
    guard isPart else { return upper.map { "\($0)" } ?? "all" }
    let part = "\(lower):\(upper.map { "\($0)" } ?? "")"
    switch whole {
    case .unknown: return part
    case .all: return part + "/all"
    case .first(let count): return part + "/\(count)"
    }
  }

  /// Windows that have to be made of a text before a part can be taken out of them; nil is all.
  public var needed: Int? { if case .first(let count) = whole { count } else { nil } }

  /// The windows that are run, of `count` that the whole has. Throws `badData` where a part begins
  /// behind the end.
  public func range(of count: Int) throws -> Range<Int> {
    guard lower < count else {
      throw LabError(
        .badData, "the part of the windows begins behind the last", at: "chunks \(self)",
        expected: "a first window of 0…\(count - 1): there are \(count)", got: "\(lower)",
        advice: "ask for fewer parts, or for a smaller context")
    }
    return lower..<min(upper ?? count, count)
  }
}

extension PerplexityProtocol {
  /// The windows of a text that `selection` asks for, the number of the first among the windows of
  /// the whole, and how many the whole has. Throws as `windows(of:tokenizer:limit:parseSpecial:)`,
  /// and where a part has no window.
  public func windows(
    of text: String, tokenizer: any Tokenizer, selection: WindowSelection,
    parseSpecial: Bool = false
  ) throws -> (windows: [ScoringWindow], first: Int, total: Int) {
    let all = try windows(
      of: text, tokenizer: tokenizer, limit: selection.isPart ? selection.needed : selection.upper,
      parseSpecial: parseSpecial)
    guard selection.isPart else { return (all, 0, all.count) }
    let range = try selection.range(of: all.count)
    return (Array(all[range]), range.lowerBound, all.count)
  }
}

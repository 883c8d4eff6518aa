import Foundation
import TritCore

/// What a child of the arena tells its parent: one line of JSON each.
struct ArenaMessage: Codable {
  enum Kind: String, Codable {
    /// The contestant is there; the seed may come.
    case ready
    /// What is being done now. Each also says that the child lives.
    case phase
    /// What a check found.
    case verdict
    /// A page that nobody may touch was touched; the process ends of it.
    case fault
    /// The clocks now, at the start and the end of what is timed.
    case mark
    /// A measured case.
    case line
    /// The contestant or a baseline cannot be raced at all.
    case refusal
    /// The end.
    case done
  }

  var kind: Kind
  var text: String?
  var verdict: ArenaVerdict?
  var measured: ArenaLine?
  /// Nanoseconds of the child's clock when it wrote this.
  var nanoseconds: UInt64?
  /// The kernel that runs, where a choice was made.
  var kernel: String?
  /// The error of a refusal.
  var refused: Refusal?

  /// An error on its way between processes.
  struct Refusal: Codable {
    var kind: Int32
    var what: String
    var place: String?
    var expected: String?
    var got: String?
    var advice: String?

    init(_ error: LabError) {
      kind = error.kind.rawValue
      what = error.what
      place = error.place
      expected = error.expected
      got = error.got
      advice = error.advice
    }

    var error: LabError {
      LabError(
        LabError.Kind(rawValue: kind) ?? .failure, what, at: place, expected: expected, got: got,
        advice: advice)
    }
  }

  init(_ kind: Kind, text: String? = nil) {
    self.kind = kind
    self.text = text
  }

  /// The message as a line, with its end.
  var line: String { ArenaJSON.text(self) + "\n" }
}

/// What a child is asked for; the seed comes later.
struct ArenaOrder: Codable {
  var request: ArenaRequest
}

/// The seed, once the contestant has been loaded.
struct ArenaSeed: Codable {
  var seed: UInt64
}

/// JSON as the arena writes it: keys in order, so that equal values are equal bytes.
enum ArenaJSON {
  static func text(_ value: some Encodable, pretty: Bool = false) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    // A figure that is no number would be a fault of the arena; it is written as a word, which no
    // reader takes.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinite", negativeInfinity: "-infinite", nan: "nan")
    guard let data = try? encoder.encode(value) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  static func value<Value: Decodable>(_ type: Value.Type, _ text: some StringProtocol) throws
    -> Value
  { try JSONDecoder().decode(type, from: Data(text.utf8)) }
}

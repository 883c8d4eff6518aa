/// Watches a text that grows for texts that end it.
///
/// What may be the beginning of a stop text is held back until that is known, so that nothing of a
/// stop text is ever handed out.
public struct StopTexts: Sendable {
  private let stops: [[UInt8]]
  private var pending: [UInt8] = []
  /// Whether a stop text has appeared.
  public private(set) var isOver = false

  /// Watches for `stops`; empty ones are passed over.
  public init(_ stops: [String]) {
    self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
  }

  /// What is certain after `piece`, whole characters; nothing once a stop text has appeared.
  public mutating func append(_ piece: String) -> String {
    guard !isOver else { return "" }
    guard !stops.isEmpty else { return piece }
    pending += piece.utf8
    if let place = stops.compactMap({ Self.place(of: $0, in: pending) }).min() {
      isOver = true
      defer { pending = [] }
      return String(decoding: pending[..<place], as: UTF8.self)
    }
    let held = stops.map { Self.overlap(pending, $0) }.max() ?? 0
    let certain = pending.count - held
    defer { pending.removeFirst(certain) }
    return String(decoding: pending[..<certain], as: UTF8.self)
  }

  /// What is still held back when no more text comes.
  public mutating func finish() -> String {
    defer { pending = [] }
    return isOver ? "" : String(decoding: pending, as: UTF8.self)
  }

  /// Where `stop` begins in `text`.
  private static func place(of stop: [UInt8], in text: [UInt8]) -> Int? {
    guard stop.count <= text.count else { return nil }
    return (0...(text.count - stop.count)).first {
      text[$0] == stop[0] && text[$0..<($0 + stop.count)].elementsEqual(stop)
    }
  }

  /// How many bytes at the end of `text` begin `stop`.
  private static func overlap(_ text: [UInt8], _ stop: [UInt8]) -> Int {
    (1..<max(1, min(stop.count, text.count + 1))).last {
      text.suffix($0).elementsEqual(stop.prefix($0))
    } ?? 0
  }
}
